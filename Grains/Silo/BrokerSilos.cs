using Orleans.Runtime.Services;

namespace Whip.Grains.Silo;

/// <summary>The way to every silo's own answers.</summary>
internal sealed class BrokerSilos(IServiceProvider services, ISiloStatusOracle silos) : GrainServiceClient<IBrokerSilo>(services)
{
    /// <summary>As a peer that is asked over a link: who needs longer is as good as silent.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>Asks every silo that lives at once, and hands on the answers as they come. False: one failed or was late.</summary>
    public async Task<bool> AskAllAsync<T>(Func<IBrokerSilo, CancellationToken, Task<T>> ask, Action<T> answered)
        where T : class
    {
        var areAll = true;
        using var timeout = new CancellationTokenSource(AnswerTimeout);
        var questions = silos.GetActiveSilos().Select(silo => AnswerOrNullAsync(silo, ask, timeout.Token)).ToList();
        await foreach (var question in Task.WhenEach(questions))
        {
            if (await question is { } answer)
            {
                answered(answer);
            }
            else
            {
                areAll = false;
            }
        }

        return areAll;
    }

    private async Task<T?> AnswerOrNullAsync<T>(SiloAddress silo, Func<IBrokerSilo, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await ask(GetGrainService(silo), cancellationToken).WaitAsync(cancellationToken);
        }
        catch (Exception error) when (SiloFailure.IsExpected(error))
        {
            return null;
        }
    }
}
