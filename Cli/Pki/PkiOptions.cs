using System.Security.Cryptography.X509Certificates;
using Whip.Hosting.Flags;
using Whip.Protocol.Options;

namespace Whip.Cli.Pki;

/// <summary>The kind of a new private key.</summary>
internal enum KeyType
{
    /// <summary>P-256.</summary>
    Ecdsa,

    /// <summary>3072 bits, the strength of P-256.</summary>
    Rsa,
}

/// <summary>The options that every <c>whip pki</c> command has, with the original's names and defaults.</summary>
internal class PkiOptions : ICheckedOptions
{
    private const int MaxCommonNameLength = 64;

    // The clocks of the machines that check a new certificate may be that much behind.
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    public string CaCertPath { get; set; } = "ca-cert.pem";

    public string CaKeyPath { get; set; } = "ca-key.pem";

    public TimeSpan ValidityDuration { get; set; } = TimeSpan.FromHours(720);

    public KeyType KeyType { get; set; }

    public IList<string> Country { get; } = ["US"];

    public IList<string> Organization { get; } = ["Github"];

    public IList<string> OrganizationUnit { get; } = ["Technicianted"];

    public IList<string> Locality { get; } = [];

    public IList<string> Province { get; } = [];

    public IList<string> Street { get; } = [];

    public IList<string> PostalCode { get; } = [];

    public string Serial { get; set; } = "";

    public string? CommonName { get; set; }

    public (DateTimeOffset NotBefore, DateTimeOffset NotAfter) Validity(DateTimeOffset now) => (now - Backdate, now + ValidityDuration);

    public virtual void Check()
    {
    }

    public X500DistinguishedName Subject(string defaultName)
    {
        // The builder encodes the last part first, so this is the reverse of the original's order.
        var subject = new X500DistinguishedNameBuilder();
        if (Serial.Length > 0)
        {
            subject.Add("2.5.4.5", Serial);
        }

        var commonName = CommonName ?? defaultName;
        if (commonName.Length is > 0 and <= MaxCommonNameLength)
        {
            subject.AddCommonName(commonName);
        }

        Add(PostalCode, text => subject.Add("2.5.4.17", text));
        Add(Street, text => subject.Add("2.5.4.9", text));
        Add(Province, subject.AddStateOrProvinceName);
        Add(Locality, subject.AddLocalityName);
        Add(OrganizationUnit, subject.AddOrganizationalUnitName);
        Add(Organization, subject.AddOrganizationName);
        Add(Country, subject.AddCountryOrRegion);
        return subject.Build();

        static void Add(IEnumerable<string> values, Action<string> add)
        {
            foreach (var value in values)
            {
                add(value);
            }
        }
    }
}

/// <summary>The flags of <see cref="PkiOptions"/>, which may also stand before the name of the command.</summary>
internal sealed class PkiFlags : FlagSet
{
    public PkiFlags()
        : base("whip pki", "Makes a CA and the certificates of brokers, agents and dialers.", static () => new PkiOptions())
    {
        Add(nameof(PkiOptions.CaCertPath), "FILE", "The CA's certificate, PEM.");
        Add(nameof(PkiOptions.CaKeyPath), "FILE", "The CA's private key, PEM.");
        Add(nameof(PkiOptions.ValidityDuration), "DURATION", "How long the certificate is valid, at most until its CA expires.", Lifetime);
        Add(nameof(PkiOptions.KeyType), "", "The kind of the new key: ecdsa is P-256, rsa has 3072 bits.");
        Add(nameof(PkiOptions.Country), "TEXT", "Subject: country, two letters.", TwoLetters);
        Add(nameof(PkiOptions.Organization), "TEXT", "Subject: organization.");
        Add(nameof(PkiOptions.OrganizationUnit), "TEXT", "Subject: organizational unit.");
        Add(nameof(PkiOptions.Locality), "TEXT", "Subject: locality.");
        Add(nameof(PkiOptions.Province), "TEXT", "Subject: state or province.");
        Add(nameof(PkiOptions.Street), "TEXT", "Subject: street address.");
        Add(nameof(PkiOptions.PostalCode), "TEXT", "Subject: postal code.");
        Add(nameof(PkiOptions.Serial), "TEXT", "Subject: serial number.");
        Add(nameof(PkiOptions.CommonName), "TEXT", "Subject: common name; without it the first name of the certificate, or Whip CA.");
    }

    /// <summary>Unlike other durations it may be years.</summary>
    private static object Lifetime(string source, string text) => GoDuration.TryParse(text, out var duration) && duration > TimeSpan.Zero
        ? duration
        : throw new WhipOptionException(source, text, "not a duration", "720h or 1h30m");

    private static string TwoLetters(string source, string text) => text.Length == 2 && text.All(char.IsAsciiLetter)
        ? text
        : throw new WhipOptionException(source, text, "not a country's two letters", "US");
}
