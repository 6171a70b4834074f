using Orleans.Runtime.Services;
using Whip.Grains.Membership;

namespace Whip.Grains.Silo;

/// <summary>The way to every silo's own answers.</summary>
internal sealed class BrokerSilos(IServiceProvider services, ISiloStatusOracle silos) : GrainServiceClient<IBrokerSilo>(services), ISiloWitness
{
    /// <summary>As a peer that is asked over a link: who needs longer is as good as silent.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>Longer: a silo that is wrongly not listed ends.</summary>
    private static readonly TimeSpan WitnessTimeout = TimeSpan.FromSeconds(1.5);

    /// <summary>Asks every silo that lives at once, and hands on the answers as they come. False: one failed or was late.</summary>
    public async Task<bool> AskAllAsync<T>(Func<IBrokerSilo, CancellationToken, Task<T>> ask, Action<T> answered)
        where T : class
    {
        var areAll = true;
        using var timeout = new CancellationTokenSource(AnswerTimeout);
        var questions = silos.GetActiveSilos().Select(silo => AnswerOrDefaultAsync(silo, ask, timeout.Token)).ToList();
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

    public async Task<bool> IsListedAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(WitnessTimeout);
        var others = silos.GetActiveSilos().Where(other => !other.Equals(silo));
        var questions = others.Select(other => AnswerOrDefaultAsync(other, (asked, limit) => asked.ListsAsync(silo, limit), timeout.Token)).ToList();
        var isListed = false;
        await foreach (var question in Task.WhenEach(questions))
        {
            isListed |= await question;
            if (isListed)
            {
                await timeout.CancelAsync();
            }
        }

        return isListed;
    }

    private async Task<T?> AnswerOrDefaultAsync<T>(SiloAddress silo, Func<IBrokerSilo, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask(GetGrainService(silo), cancellationToken).WaitAsync(cancellationToken);
        }
        catch (Exception error) when (SiloFailure.IsExpected(error))
        {
            return default;
        }
    }
}
