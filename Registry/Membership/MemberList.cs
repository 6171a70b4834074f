namespace Whip.Registry.Membership;

/// <summary>A list of members that can be waited on.</summary>
internal sealed class MemberList
{
    private readonly Lock _gate = new();
    private IReadOnlyList<BrokerMember> _members = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<BrokerMember> Current => Volatile.Read(ref _members);

    /// <returns>Whether that made another list.</returns>
    public bool Update(Func<IReadOnlyList<BrokerMember>, IEnumerable<BrokerMember>> change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            BrokerMember[] members = [.. change(_members).OrderBy(m => m.Id, StringComparer.Ordinal)];
            if (members.SequenceEqual(_members))
            {
                return false;
            }

            Volatile.Write(ref _members, members);
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
        return true;
    }

    /// <summary>Changes the flag of one member, so that a broker sees its own before any other does.</summary>
    public void SetDraining(string id, bool isDraining) =>
        Update(members => members.Select(m => m.Id == id ? m with { IsDraining = isDraining } : m));

    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ReferenceEquals(seen, _members) ? _changed.Task.WaitAsync(cancellationToken) : Task.CompletedTask;
        }
    }
}
