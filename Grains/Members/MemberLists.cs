namespace Whip.Grains.Members;

/// <summary>The brokers as the rest of the process reads them. <see cref="MemberTable"/> replaces the lists under its lock, and never alters one.</summary>
internal sealed class MemberLists(ILogger log)
{
    private readonly ChangeSignal _changed = new();
    private volatile IReadOnlyList<BrokerMember> _members = [];
    private volatile IReadOnlyList<OtherBroker> _others = [];
    private string _logged = "";

    public IReadOnlyList<BrokerMember> Members => _members;

    public IReadOnlyList<OtherBroker> Others => _others;

    /// <summary>Completes when <see cref="Members"/> is another list than <paramref name="seen"/>.</summary>
    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken)
    {
        var change = _changed.Next;
        return ReferenceEquals(seen, _members) ? change.WaitAsync(cancellationToken) : Task.CompletedTask;
    }

    /// <summary>Replaces the lists that have changed.</summary>
    public void Publish(IEnumerable<OtherBroker> others, IEnumerable<BrokerMember> members)
    {
        OtherBroker[] newOthers = [.. others.OrderBy(other => other.Id, StringComparer.Ordinal)];
        if (!newOthers.SequenceEqual(_others))
        {
            _others = newOthers;
        }

        BrokerMember[] newMembers = [.. members.OrderBy(member => member.Id, StringComparer.Ordinal)];
        if (newMembers.SequenceEqual(_members))
        {
            return;
        }

        _members = newMembers;
        var text = Printable.Clean(string.Join(", ", newMembers.AsEnumerable()), maxLength: 4096);
        if (text != _logged)
        {
            MemberLog.Changed(log, text);
            _logged = text;
        }

        _changed.Raise();
    }
}
