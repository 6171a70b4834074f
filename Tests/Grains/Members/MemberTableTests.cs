namespace Whip.Tests.Grains.Members;

/// <summary>Who is a member and who is suspect, by views and answers.</summary>
public sealed class MemberTableTests : IDisposable
{
    private readonly TestMember _a = new();

    public void Dispose() => _a.Dispose();

    [Fact]
    public void There_are_no_members_before_this_broker_is_a_silo()
    {
        Assert.Equal("", _a.Text);
        _a.See(TestMember.Silo("b"));
        Assert.Equal("", _a.Text);
        _a.See(_a.Own);
        Assert.Equal("a", _a.Text);
        Assert.Equal(["a"], _a.Table.Silos);
    }

    [Fact]
    public void A_silo_without_facts_is_no_member_yet()
    {
        _a.See(_a.Own, TestMember.Silo("b"));
        Assert.Equal("a", _a.Text);
        Assert.Equal([new("b", IsSuspect: true)], _a.Table.Others);
        _a.Answer(_a.Facts("b"));
        Assert.Equal("a b", _a.Text);
        Assert.Equal([new("b", IsSuspect: false)], _a.Table.Others);
    }

    [Fact]
    public void A_member_is_as_it_describes_itself()
    {
        _a.Join("b");
        var b = _a.Table.Find("b")!;
        Assert.Equal(("b.test:50051", "b.test:8000", "b.test:8010", "z", 1),
            ($"{b.ExternalGrpc}", $"{b.ExternalTcp}", $"{b.ExternalDial}", b.Zone, b.Incarnation));
        _a.Time.Advance(TimeSpan.FromMilliseconds(3));
        _a.Table.Answered(TestMember.Silo("b"), _a.Time.GetTimestamp() - (2 * TimeSpan.TicksPerMillisecond), _a.Facts("b"));
        Assert.Equal(TimeSpan.FromMilliseconds(2), _a.Table.RoundTrip("b"));
    }

    [Fact]
    public void Facts_that_came_late_do_not_undo_newer_ones()
    {
        _a.Join("b");
        var before = _a.Facts("b");
        _a.Table.Heard(_a.Facts("b") with { IsDraining = true });
        Assert.Equal("a b!", _a.Text);
        _a.Answer(before);
        Assert.Equal("a b!", _a.Text);
        _a.Answer(_a.Facts("b"));
        Assert.Equal("a b", _a.Text);
    }

    [Fact]
    public void What_is_heard_from_a_silo_that_is_not_active_here_counts_for_nothing()
    {
        _a.Join("b");
        _a.Table.Heard(_a.Facts("c"));
        _a.Table.Heard(_a.Facts("b", generation: 2) with { IsDraining = true });
        Assert.Equal("a b", _a.Text);
    }

    [Fact]
    public void A_ping_that_fails_makes_suspect_at_once_and_the_next_answer_trusted()
    {
        _a.Join("b");
        var suspected = _a.Table.Suspected("b");
        _a.Pass(TimeSpan.FromSeconds(1));
        _a.Fail(TestMember.Silo("b"));
        Assert.Equal("a b?", _a.Text);
        Assert.True(suspected.IsCancellationRequested);
        Assert.True(_a.Table.Suspected("b").IsCancellationRequested);
        _a.Pass(TimeSpan.FromSeconds(1));
        _a.Answer(_a.Facts("b"));
        Assert.Equal("a b", _a.Text);
        Assert.False(_a.Table.Suspected("b").IsCancellationRequested);
        Assert.Single(_a.Logs.Records, record => record.Event.Name == "Suspect");
        Assert.Single(_a.Logs.Records, record => record.Event.Name == "TrustedAgain");
    }

    [Fact]
    public void A_broker_that_nobody_knows_counts_as_suspect() => Assert.True(_a.Table.Suspected("z").IsCancellationRequested);

    [Theory]
    [InlineData("has said that it drains")]
    [InlineData("was seen stopping")]
    public void One_that_leaves_goes_with_its_silo(string which)
    {
        _a.Join("b", "c");
        if (which == "was seen stopping")
        {
            _a.Leave("b");
        }
        else
        {
            _a.Table.Heard(_a.Facts("b") with { IsDraining = true });
        }

        _a.See(_a.Own, TestMember.Silo("c"));
        Assert.Equal("a c", _a.Text);
    }

    [Fact]
    public void Any_other_is_suspect_for_30_seconds_after_its_silo_died()
    {
        _a.Join("b");
        _a.See(_a.Own);
        Assert.Equal("a b?", _a.Text);
        Assert.False(_a.Table.Find("b")!.HasSilo);
        _a.Pass(TimeSpan.FromSeconds(29.5));
        Assert.Equal("a b?", _a.Text);
        _a.Pass(TimeSpan.FromSeconds(0.5));
        Assert.Equal("a", _a.Text);
        Assert.Empty(_a.Table.Others);
    }

    [Fact]
    public void The_last_facts_hold_until_its_next_silo_answers()
    {
        _a.Join("b");
        _a.See(_a.Own);
        _a.See(_a.Own, TestMember.Silo("b", generation: 2));
        Assert.Equal("a b?", _a.Text);
        _a.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal("a b?", _a.Text);
        _a.Answer(_a.Facts("b", generation: 2) with { ExternalGrpc = "other:1" });
        Assert.Equal("a b", _a.Text);
        Assert.Equal(("other:1", 2), ($"{_a.Table.Find("b")!.ExternalGrpc}", _a.Table.Find("b")!.Incarnation));
    }

    [Fact]
    public void While_this_broker_has_no_silo_everything_stays_as_it_is()
    {
        _a.Join("b", "c");
        _a.Pass(TimeSpan.FromSeconds(1));
        _a.Fail(TestMember.Silo("c"));
        _a.Table.Follow(null);
        Assert.Equal("a b c?", _a.Text);
        Assert.False(_a.Table.Find("a")!.HasSilo);
        Assert.Empty(_a.Table.Silos);
        Assert.False(_a.Table.AreAll(["b", "c"]));
    }

    [Fact]
    public async Task A_change_of_the_list_is_told_and_no_change_is_not()
    {
        _a.Join("b");
        var before = _a.Table.Members;
        var change = _a.Table.WaitForChangeAsync(before, default);
        _a.Answer(_a.Facts("b"));
        _a.See(_a.Own, TestMember.Silo("b"));
        Assert.Same(before, _a.Table.Members);
        Assert.False(change.IsCompleted);
        _a.Table.SetDraining(true);
        await change.WaitAsync(Patience.Long);
        Assert.Equal("a! b", _a.Text);
        await _a.Table.WaitForChangeAsync(before, default).WaitAsync(Patience.Long);
        using var cancel = new CancellationTokenSource();
        var next = _a.Table.WaitForChangeAsync(_a.Table.Members, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task The_others_are_to_hear_at_once_that_this_broker_drains_and_new_silos_are_asked_at_once()
    {
        var news = _a.Table.WaitForNewsAsync(default);
        _a.Join("b");
        await news.WaitAsync(Patience.Long);
        news = _a.Table.WaitForNewsAsync(default);
        _a.See(_a.Own, TestMember.Silo("b"));
        Assert.False(news.IsCompleted);
        _a.Table.SetDraining(true);
        await news.WaitAsync(Patience.Long);
        Assert.True(_a.Table.Self().IsDraining);
    }

    [Fact]
    public void Everybody_who_is_not_suspect_has_to_answer_and_one_other_in_any_case()
    {
        _a.Join("b", "c");
        Assert.False(_a.Table.AreAll([]));
        Assert.False(_a.Table.AreAll(["b"]));
        Assert.True(_a.Table.AreAll(["b", "c"]));
        _a.Pass(TimeSpan.FromSeconds(2));
        _a.Fail(TestMember.Silo("c"));
        Assert.True(_a.Table.AreAll(["b"]));
        _a.Fail(TestMember.Silo("b"));
        Assert.False(_a.Table.AreAll([]));
        Assert.True(_a.Table.AreAll(["b"]));
    }

    [Fact]
    public void The_only_silo_needs_nobody()
    {
        _a.See(_a.Own);
        Assert.True(_a.Table.AreAll([]));
    }

    [Fact]
    public void A_silo_that_has_hardly_had_time_to_answer_a_ping_has_to_answer()
    {
        _a.Join("b");
        _a.See(_a.Own, TestMember.Silo("b"), TestMember.Silo("c"));
        Assert.False(_a.Table.AreAll(["b"]));
        _a.Pass(TimeSpan.FromSeconds(1.5));
        Assert.True(_a.Table.AreAll(["b"]));
    }

    [Fact]
    public void A_broker_whose_silo_has_just_died_may_live_and_counts_as_silent_for_5_seconds()
    {
        _a.Join("b", "c");
        _a.See(_a.Own, TestMember.Silo("c"));
        Assert.False(_a.Table.AreAll(["c"]));
        _a.Pass(TimeSpan.FromSeconds(4.5));
        Assert.False(_a.Table.AreAll(["c"]));
        _a.Pass(TimeSpan.FromSeconds(0.5));
        Assert.True(_a.Table.AreAll(["c"]));
    }

    [Fact]
    public void Not_so_when_it_has_answered_as_another_silo_nor_when_it_drained()
    {
        _a.Join("b", "c");
        _a.See(_a.Own, TestMember.Silo("c"), TestMember.Silo("b", generation: 2));
        _a.Answer(_a.Facts("b", generation: 2));
        Assert.True(_a.Table.AreAll(["b", "c"]));
        _a.Table.Heard(_a.Facts("c") with { IsDraining = true });
        _a.See(_a.Own, TestMember.Silo("b", generation: 2));
        Assert.True(_a.Table.AreAll(["b"]));
    }

    [Fact]
    public void A_silo_that_is_dead_in_a_newer_view_of_another_proves_nothing()
    {
        _a.Join("b");
        _a.Answer(_a.Facts("b") with { ViewVersion = _a.Version + 1, ActiveSilos = [TestMember.Silo("b")] });
        Assert.False(_a.Table.AreAll(["b"]));
        _a.See(_a.Own, TestMember.Silo("b"));
        Assert.True(_a.Table.AreAll(["b"]));
    }

    [Fact]
    public void Another_silo_lists_this_one_for_a_second_and_a_half_after_it_said_so()
    {
        _a.See(_a.Own, TestMember.Silo("b"));
        Assert.False(_a.Table.IsListed());
        _a.Answer(_a.Facts("b") with { ActiveSilos = [TestMember.Silo("b")] });
        Assert.False(_a.Table.IsListed());
        _a.Answer(_a.Facts("b"));
        Assert.True(_a.Table.IsListed());
        _a.Pass(TimeSpan.FromSeconds(1.5));
        Assert.False(_a.Table.IsListed());
    }

    [Fact]
    public void What_was_said_before_a_freeze_and_is_read_after_it_lists_no_silo()
    {
        _a.See(_a.Own, TestMember.Silo("b"));
        var sentAt = _a.Time.GetTimestamp();
        _a.Time.Advance(TimeSpan.FromSeconds(20));
        _a.Table.Answered(TestMember.Silo("b"), sentAt, _a.Facts("b"));
        _a.Table.Heard(_a.Facts("b"));
        Assert.False(_a.Table.IsListed());
    }

    [Fact]
    public void The_silos_that_a_start_waits_for_are_named()
    {
        _a.See(TestMember.Silo("b"), TestMember.Silo("c"));
        _a.Answer(_a.Facts("c"));
        Assert.Equal($"b at {TestMember.Silo("b").Endpoint}", Assert.Single(_a.Table.Silent));
    }
}
