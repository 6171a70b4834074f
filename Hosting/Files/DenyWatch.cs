using Microsoft.Extensions.Logging;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Files;

/// <summary>The deny list of a program, null if it has none, as it changes.</summary>
internal sealed class DenyWatch(DenyFile? file, ILogger logger) : ILiveFile
{
    public string Kind => "deny";

    public string? Problem => file?.Problem;

    public void Look(bool atOnce)
    {
        switch (file?.Look(atOnce))
        {
            case FileChange.Taken:
                LiveFileLog.DenyTaken(logger, file.Path, file.Count);
                break;
            case FileChange.Refused:
                LiveFileLog.DenyRefused(logger, file.Path, file.Problem!);
                break;
        }
    }
}
