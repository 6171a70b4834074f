using Whip.Hosting.Programs;

namespace Whip.Tests.Hosting.Programs;

/// <summary>A terminal whose signals the test sends.</summary>
internal sealed class FakeTerminal : IDisposable
{
    private readonly StringWriter _error = new();
    private readonly ReadyWriter _output = new();
    private Action? _signal;

    public ProgramTerminal Terminal => new(_output, _error, static _ => null, action =>
    {
        _signal = action;
        return this;
    });

    public Task<string> Ready => _output.Ready.Task;

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public bool Subscribed => _signal is not null;

    public void Signal() => _signal!();

    public void Dispose() => _signal = null;

    private sealed class ReadyWriter : StringWriter
    {
        public TaskCompletionSource<string> Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Task FlushAsync()
        {
            Ready.TrySetResult(ToString());
            return Task.CompletedTask;
        }
    }
}
