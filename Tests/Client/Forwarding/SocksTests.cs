using System.Text;
using Whip.Client.Forwarding;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Tests.Client.Forwarding;

/// <summary>SOCKS5 by its bytes: RFC 1928 and RFC 1929.</summary>
public sealed class SocksTests
{
    private static readonly byte[] Hello = [5, 1, 0];
    private static readonly byte[] WithPassword = [5, 2, 0, 2];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_names_what_to_dial_and_what_it_sends_behind_that_is_the_streams(bool byteByByte)
    {
        await using var test = new TestForwarder();
        await using var client = await ConnectAsync(test);
        byte[] all = [.. Hello, .. Connect("WEB.testdom"), .. "early"u8];
        for (var at = 0; at < all.Length; at += byteByByte ? 1 : all.Length)
        {
            await client.WriteAsync(all.AsMemory(at, byteByByte ? 1 : all.Length));
        }

        await ExpectAsync(client, [5, 0]);
        await using var service = await test.ServeAsync();
        await ExpectAsync(client, Reply(0));
        await ExpectAsync(service, "early"u8.ToArray());
        await service.WriteAsync("late"u8.ToArray());
        await ExpectAsync(client, "late"u8.ToArray());
        Assert.Equal(["web.testdom:80"], test.Dialer.Dials);
    }

    [Theory]
    [InlineData(DialOutcome.NoSuchDomain, 4)]
    [InlineData(DialOutcome.Denied, 2)]
    [InlineData(DialOutcome.AgentFailed, 5)]
    [InlineData(DialOutcome.DeadlineExceeded, 6)]
    [InlineData(DialOutcome.BrokerUnreachable, 3)]
    [InlineData(DialOutcome.Overloaded, 1)]
    public async Task A_dial_that_fails_is_answered_by_its_outcome(DialOutcome outcome, byte reply)
    {
        await using var test = new TestForwarder();
        test.Dialer.Fail("gone.testdom:80", outcome, "why");
        await using var client = await ConnectAsync(test);
        await client.WriteAsync((byte[])[.. Hello, .. Connect("gone.testdom")]);
        await ExpectAsync(client, [5, 0, .. Reply(reply)]);
        Assert.Equal(0, await client.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
        Assert.EndsWith($"{outcome}: why", (await test.Logs.WaitForAsync("DialFailed")).Message);
    }

    [Theory]
    [InlineData("an IPv4 address", 8, new byte[] { 5, 1, 0, 1, 127, 0, 0, 1, 0, 80 })]
    [InlineData("an IPv6 address", 8, new byte[] { 5, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80 })]
    [InlineData("an unknown type", 8, new byte[] { 5, 1, 0, 2 })]
    [InlineData("BIND", 7, new byte[] { 5, 2, 0, 3, 1, 97, 0, 80 })]
    [InlineData("UDP ASSOCIATE", 7, new byte[] { 5, 3, 0, 3, 1, 97, 0, 80 })]
    [InlineData("a name that is none", 4, new byte[] { 5, 1, 0, 3, 2, 46, 46, 0, 80 })]
    [InlineData("an empty name", 4, new byte[] { 5, 1, 0, 3, 0, 0, 80 })]
    [InlineData("port 0", 4, new byte[] { 5, 1, 0, 3, 1, 97, 0, 0 })]
    public async Task What_cannot_be_dialled_is_refused(string what, byte reply, byte[] request)
    {
        await using var test = new TestForwarder();
        await using var client = await ConnectAsync(test);
        await client.WriteAsync((byte[])[.. Hello, .. request]);
        await ExpectAsync(client, [5, 0, .. Reply(reply)]);
        Assert.True(await HasEndedAsync(client), what);
        Assert.Empty(test.Dialer.Dials);
        await test.Logs.WaitForAsync("SocksRefused");
    }

    [Fact]
    public async Task The_longest_name_is_refused_as_any_that_is_none()
    {
        await using var test = new TestForwarder();
        await using var client = await ConnectAsync(test);
        await client.WriteAsync((byte[])[.. Hello, .. Connect(new string('a', 255))]);
        await ExpectAsync(client, [5, 0, .. Reply(4)]);
        await test.Logs.WaitForAsync("SocksRefused");
    }

    [Theory]
    [InlineData("me", "secret", true)]
    [InlineData("me", "Secret", false)]
    [InlineData("you", "secret", false)]
    [InlineData("", "", false)]
    public async Task With_a_password_only_who_has_it_dials(string username, string password, bool isRight)
    {
        await using var test = new TestForwarder(new WhipForwarderOptions { SocksUsername = "me", SocksPassword = "secret" });
        await using var client = await ConnectAsync(test);
        await client.WriteAsync(WithPassword);
        await ExpectAsync(client, [5, 2]);
        await client.WriteAsync((byte[])[1, .. Field(username), .. Field(password)]);
        await ExpectAsync(client, [1, (byte)(isRight ? 0 : 1)]);
        if (isRight)
        {
            await client.WriteAsync(Connect("web.testdom"));
            await using var service = await test.ServeAsync();
            await ExpectAsync(client, Reply(0));
        }
        else
        {
            Assert.True(await HasEndedAsync(client));
            Assert.DoesNotContain("ecret", (await test.Logs.WaitForAsync("SocksRefused")).Message);
        }
    }

    [Theory]
    [InlineData(true, new byte[] { 5, 1, 0 })]
    [InlineData(false, new byte[] { 5, 1, 2 })]
    [InlineData(false, new byte[] { 5, 0 })]
    public async Task A_client_that_offers_no_method_of_ours_is_told_so(bool withPassword, byte[] hello)
    {
        await using var test = new TestForwarder(new WhipForwarderOptions { SocksPassword = withPassword ? "secret" : null });
        await using var client = await ConnectAsync(test);
        await client.WriteAsync(hello);
        await ExpectAsync(client, [5, 0xFF]);
        Assert.True(await HasEndedAsync(client));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\u0004\u0001\u0000P")]
    public async Task Who_speaks_something_else_is_reset(string bytes)
    {
        await using var test = new TestForwarder();
        await using var client = await ConnectAsync(test);
        await client.WriteAsync(Encoding.Latin1.GetBytes(bytes));
        Assert.True(await HasEndedAsync(client));
    }

    [Fact]
    public async Task Who_says_nothing_is_reset_after_five_seconds()
    {
        await using var test = new TestForwarder();
        await using var client = await ConnectAsync(test);
        await client.WriteAsync(Hello);
        await ExpectAsync(client, [5, 0]);
        test.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(await HasEndedAsync(client));
    }

    private static Task<Leg> ConnectAsync(TestForwarder test) => TestForwarder.ConnectAsync(test.Forwarder.ServeSocks(TestForwarder.FreePort));

    private static byte[] Connect(string name) => [5, 1, 0, 3, .. Field(name), 0, 80];

    private static byte[] Field(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Reply(byte code) => [5, code, 0, 1, 0, 0, 0, 0, 0, 0];

    private static async Task ExpectAsync(Leg from, byte[] bytes)
    {
        var got = new byte[bytes.Length];
        await from.ReadExactlyAsync(got).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(bytes, got);
    }

    private static async Task<bool> HasEndedAsync(Leg client)
    {
        try
        {
            return await client.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
