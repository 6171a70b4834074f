namespace Whip.Tests.Cli;

public sealed class PolicyCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Policy => _folder.PathOf("policy.json");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, "b.testdom:22 dialled by alice.dialers: allowed by rule 2", "--dial", "B.testdom.:22", "--dialer", "alice.dialers")]
    [InlineData(0, "b.testdom:22 dialled by other, alice.dialers: allowed by rule 2", "--dial", "b.testdom:22", "--dialer", "other,alice.dialers")]
    [InlineData(1, "b.testdom:22 dialled by Mallory.dialers.: denied by rule 1", "--dial", "b.testdom:22", "--dialer", "Mallory.dialers.")]
    [InlineData(1, "b.testdom:23 dialled by alice.dialers: denied, because no rule matches", "--dial", "b.testdom:23", "--dialer", "alice.dialers")]
    [InlineData(1, "b.testdom:22 dialled by a dialer without a certificate: denied, because no rule matches", "--dial", "b.testdom:22")]
    public async Task A_dial_is_judged_as_a_broker_judges_it(int exitCode, string verdict, params string[] flags)
    {
        _folder.Write("policy.json", """
            [
              { "dialer": "mallory.dialers", "name": "*", "allow": false },
              { "dialer": "*.dialers", "name": "*.testdom", "ports": [22], "allow": true },
            ]
            """);
        Assert.Equal(new WhipRun(exitCode, $"{verdict}\n", ""), await WhipRun.RunAsync(["policy", "check", Policy, .. flags]));
        Assert.Equal(new WhipRun(0, $"{Policy}: valid, 2 rules\n", ""), await WhipRun.RunAsync("policy", "check", Policy));
    }

    [Theory]
    [InlineData("{ \"ports\": [\"22\"], \"allow\": true,", "ports: must be an array of numbers from 1 to 65535; leave ports out for all")]
    [InlineData("{ \"allow\": \"yes\",", "allow: must be true or false, without quotes")]
    [InlineData("{ \"dialers\": \"*\",", "dialers: not a key; the keys are dialer, name, ports and allow")]
    public async Task What_is_wrong_is_told_by_rule_and_key(string second, string problem)
    {
        const string Rest = "\"dialer\": \"*\", \"name\": \"*\" }";
        _folder.Write("policy.json", $"[{{ \"allow\": true, {Rest}, {second} {Rest}]");
        Assert.Equal(new WhipRun(2, "", $"whip: file \"{Policy}\": rule 2: {problem}\n"), await WhipRun.RunAsync("policy", "check", Policy));
    }

    [Theory]
    [InlineData("FILE: required; try the file of --dial-policy")]
    [InlineData("--dial: \"b.testdom\" is not host:port with a port of 1 to 65535; try instance1.testdom:22", "p", "--dial", "b.testdom")]
    [InlineData("--dialer: says nothing without --dial; try --dial instance1.testdom:22 with it", "p", "--dialer", "alice.dialers")]
    public async Task A_command_line_that_is_no_use(string problem, params string[] args) =>
        Assert.Equal(new WhipRun(2, "", $"whip: {problem}\n"), await WhipRun.RunAsync(["policy", "check", .. args]));
}
