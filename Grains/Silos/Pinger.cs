namespace Whip.Grains.Silos;

/// <summary>Pings every other silo, every half second and when there is news, without waiting for the answers in between.</summary>
internal sealed class Pinger(MemberTable members, BrokerSilos brokers, TimeProvider time)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        List<Task> pings = [];
        while (!cancellationToken.IsCancellationRequested)
        {
            var news = members.WaitForNewsAsync(cancellationToken);
            members.Tick();
            pings.RemoveAll(ping => ping.IsCompleted);
            pings.AddRange(members.OtherSilos.Select(silo => PingAsync(silo, cancellationToken)));
            await Task.WhenAny(news, Task.Delay(SiloPings.Interval, time, cancellationToken));
        }

        await Task.WhenAll(pings);
    }

    private async Task PingAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        var sentAt = time.GetTimestamp();
        try
        {
            members.Answered(silo, sentAt, await brokers.At(silo).PingAsync(members.Self()).WaitAsync(SiloPings.AnswerTimeout, time, cancellationToken));
        }
        catch (Exception error) when (BrokerSilos.IsFailure(error))
        {
            // A failure of this broker's own silo says nothing about the others.
            if (!cancellationToken.IsCancellationRequested)
            {
                var problem = error is TimeoutException
                    ? $"no answer for {SiloPings.AnswerTimeout.TotalSeconds} s"
                    : SiloLoggerFactory.FirstLine(error.Message);
                members.Unanswered(silo, sentAt, problem);
            }
        }
    }
}
