namespace Whip.Bench.Cluster.Load;

/// <summary>Takes whatever processor time nobody else wants, and its share of what others do, on every core, until disposed.</summary>
internal sealed class Saturation : IDisposable
{
    private readonly Thread[] _threads;
    private volatile bool _isDisposed;

    public Saturation()
    {
        _threads = Array.ConvertAll(new int[Environment.ProcessorCount], _ => new Thread(Spin) { IsBackground = true });
        Array.ForEach(_threads, thread => thread.Start());
    }

    public void Dispose()
    {
        _isDisposed = true;
        Array.ForEach(_threads, thread => thread.Join());
    }

    private void Spin()
    {
        while (!_isDisposed)
        {
            Thread.SpinWait(1000);
        }
    }
}
