using Whip.Protocol.Options;

namespace Whip.Cli.Pki;

/// <summary>A file to write, and the flag that named it.</summary>
internal sealed class OutputFile
{
    private const int MaxLinks = 40;

    private readonly FileFacts? _facts;

    /// <exception cref="WhipOptionException">The path cannot be followed.</exception>
    public OutputFile(string flag, string path)
    {
        (Flag, Path) = (flag, path);
        try
        {
            Target = Follow(path);
            _facts = FileFacts.Of(Target);
        }
        catch (IOException error)
        {
            throw new WhipOptionException(flag, path, error.Message, "another path");
        }
    }

    public string Flag { get; }

    public string Path { get; }

    /// <summary>Where the path leads when every link in it is followed.</summary>
    public string Target { get; }

    /// <exception cref="WhipOptionException">Two of the files are one, perhaps by other names.</exception>
    public static void RequireDistinct(params ReadOnlySpan<OutputFile> files)
    {
        for (var i = 0; i < files.Length; i++)
        {
            foreach (var other in files[..i])
            {
                if (files[i].Target == other.Target || (files[i]._facts is { } facts && facts.Id == other._facts?.Id))
                {
                    throw new WhipOptionException(files[i].Flag, files[i].Path, $"is the file of {{{other.Flag}}} as well", "a path of its own");
                }
            }
        }
    }

    /// <exception cref="WhipOptionException">The file exists.</exception>
    public void RequireNew()
    {
        if (_facts is not null)
        {
            throw Exists();
        }
    }

    public WhipOptionException Exists() => new(Flag, Path, "exists already, and what it signed would be worthless", "another path, or --force");

    /// <param name="problem">What is wrong with the CA in the file; null: nothing.</param>
    /// <exception cref="WhipOptionException">There is a problem.</exception>
    public void Require(string? problem) => OptionText.Require(problem is null, Flag, Path, problem!, "names that it may sign, or another CA");

    /// <exception cref="IOException">Something is there that is not replaced, such as a folder or a device.</exception>
    public void RequireReplaceable()
    {
        if (_facts is { IsRegularFile: false } other)
        {
            throw new IOException(other.IsFolder ? "it is a directory" : "it is not a regular file");
        }
    }

    /// <summary>As realpath(3), but the end of the path need not exist, and a link that another user may have planted is not followed.</summary>
    private static string Follow(string path)
    {
        var target = "/";
        var links = 0;
        var rest = new Stack<string>();
        Push(System.IO.Path.Combine(Environment.CurrentDirectory, path));
        while (rest.TryPop(out var part))
        {
            var next = part == ".." ? System.IO.Path.GetDirectoryName(target) ?? "/" : System.IO.Path.Combine(target, part);
            if (FileFacts.Of(next) is not { IsLink: true } link)
            {
                target = next;
                continue;
            }

            RequireTrusted(next, link, target);
            if (++links > MaxLinks)
            {
                throw new IOException("has too many links");
            }

            var to = new FileInfo(next).LinkTarget!;
            target = System.IO.Path.IsPathRooted(to) ? "/" : target;
            Push(to);
        }

        return target;

        void Push(string parts)
        {
            foreach (var part in parts.Split('/').Where(part => part is not ("" or ".")).Reverse())
            {
                rest.Push(part);
            }
        }
    }

    private static void RequireTrusted(string path, FileFacts link, string folder)
    {
        if (FileFacts.Of(folder) is { IsWritableByAll: true } open && link.Owner != FileFacts.CurrentUser && link.Owner != open.Owner)
        {
            throw new IOException($"leads over {path}, a link of another user in a folder that everyone can write to");
        }
    }
}
