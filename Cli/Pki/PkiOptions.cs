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

/// <summary>From when to when a certificate is valid.</summary>
internal readonly record struct Validity(DateTimeOffset NotBefore, DateTimeOffset NotAfter);

/// <summary>The options that every <c>whip pki</c> command has, with the original's names.</summary>
internal class PkiOptions : ICheckedOptions
{
    /// <summary>Of a certificate of a broker, an agent or a dialer.</summary>
    public static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(365);

    public static readonly TimeSpan IntermediateLifetime = 5 * LeafLifetime;

    public static readonly TimeSpan CaLifetime = 10 * LeafLifetime;

    private const int MaxCommonNameLength = 64;

    // The clocks of the machines that check a new certificate may be that much behind.
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    public string CaCertPath { get; set; } = "ca-cert.pem";

    public string CaKeyPath { get; set; } = "ca-key.pem";

    /// <summary>Null: the default of the command.</summary>
    public TimeSpan? ValidityDuration { get; set; }

    public KeyType KeyType { get; set; }

    public IList<string> Country { get; } = [];

    public IList<string> Organization { get; } = [];

    public IList<string> OrganizationUnit { get; } = [];

    public IList<string> Locality { get; } = [];

    public IList<string> Province { get; } = [];

    public IList<string> Street { get; } = [];

    public IList<string> PostalCode { get; } = [];

    public string Serial { get; set; } = "";

    public string? CommonName { get; set; }

    /// <param name="now">The time.</param>
    /// <param name="lifetime">How long, unless the user says otherwise.</param>
    public Validity Validity(DateTimeOffset now, TimeSpan lifetime) => new(now - Backdate, now + (ValidityDuration ?? lifetime));

    /// <exception cref="WhipOptionException">The path cannot be followed.</exception>
    public OutputFile CaCert => new(nameof(CaCertPath), CaCertPath);

    /// <inheritdoc cref="CaCert"/>
    public OutputFile CaKey => new(nameof(CaKeyPath), CaKeyPath);

    public virtual void Check()
    {
    }

    /// <exception cref="WhipOptionException">It would be empty.</exception>
    public X500DistinguishedName CaSubject(string defaultName)
    {
        var subject = Subject(defaultName);
        OptionText.Require(subject.Name.Length > 0, nameof(CommonName), CommonName, "a CA needs a name", $"\"{defaultName}\"");
        return subject;
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
        Add(
            nameof(PkiOptions.ValidityDuration), "DURATION", "How long the certificate is valid, at most until its CA expires.", Lifetime,
            defaultText: "10 years for a CA, 5 for an intermediate one, 1 for others");
        Add(nameof(PkiOptions.KeyType), "", "The kind of the new key: ecdsa is P-256, rsa has 3072 bits.");
        Add(nameof(PkiOptions.Country), "TEXT", "Subject: country, two letters.", TwoLetters);
        Add(nameof(PkiOptions.Organization), "TEXT", "Subject: organization.");
        Add(nameof(PkiOptions.OrganizationUnit), "TEXT", "Subject: organizational unit.");
        Add(nameof(PkiOptions.Locality), "TEXT", "Subject: locality.");
        Add(nameof(PkiOptions.Province), "TEXT", "Subject: state or province.");
        Add(nameof(PkiOptions.Street), "TEXT", "Subject: street address.");
        Add(nameof(PkiOptions.PostalCode), "TEXT", "Subject: postal code.");
        Add(nameof(PkiOptions.Serial), "TEXT", "Subject: serial number.");
        Add(nameof(PkiOptions.CommonName), "TEXT", "Subject: common name; without it the first name of the certificate, or what it is.");
    }

    /// <summary>Unlike other durations it may be years.</summary>
    private static object Lifetime(string source, string text)
    {
        OptionText.Require(GoDuration.TryParse(text, out var duration), source, text, "not a duration", "8760h or 1h30m");
        OptionText.Require(duration > TimeSpan.Zero, source, text, "must be longer than 0", "8760h or 1h30m");
        return duration;
    }

    private static string TwoLetters(string source, string text) => text.Length == 2 && text.All(char.IsAsciiLetter)
        ? text
        : throw new WhipOptionException(source, text, "not a country's two letters", "US");
}
