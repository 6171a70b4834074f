using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

public sealed class DenyListTests
{
    private static readonly X509Certificate2 Leaf = TestCertificates.Shared.Issue(Certificates.ClientLeaf("mallory.dialers"));

    private static string KeyId => Convert.ToHexString(Leaf.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value.Span);

    [Theory]
    [InlineData("mallory.dialers", true)]
    [InlineData("Mallory.Dialers.", true)]
    [InlineData("# mallory.dialers", false)]
    [InlineData("\n  *.dialers  # all of them\r\n", true)]
    [InlineData("bob.dialers", false)]
    [InlineData("", false)]
    public void A_name_is_matched_in_its_normal_form(string text, bool matches) =>
        Assert.Equal(matches, DenyList.Parse(text).Matches(PeerIdentity.FromLeaf(Leaf)));

    [Fact]
    public void One_certificate_is_matched_as_openssl_prints_it()
    {
        var colons = string.Join(':', KeyId.Chunk(2).Select(pair => new string(pair)));
        string[] entries =
        [
            $"{KeyId}:{Leaf.SerialNumber}", $"{colons}:{Leaf.SerialNumber.ToLowerInvariant()}", $"{KeyId.ToLowerInvariant()}:00{Leaf.SerialNumber}",
        ];
        foreach (var entry in entries)
        {
            Assert.True(DenyList.Parse(entry).Matches(PeerIdentity.FromLeaf(Leaf)), entry);
        }

        Assert.False(DenyList.Parse($"{KeyId}:{Leaf.SerialNumber}0").Matches(PeerIdentity.FromLeaf(Leaf)));
    }

    [Theory]
    [InlineData("a\nb c\n", "line 2: \"b c\" matches no certificate")]
    [InlineData("é", "line 1: ")]
    public void A_line_that_is_no_entry_is_told_by_its_number(string text, string problem) =>
        Assert.StartsWith(problem, Assert.Throws<FormatException>(() => DenyList.Parse(text)).Message);
}
