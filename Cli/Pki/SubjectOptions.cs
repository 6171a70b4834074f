using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;

namespace Whip.Cli.Pki;

/// <summary>The parts of a certificate's subject, with the original's flags and defaults.</summary>
internal sealed class SubjectOptions
{
    private const int MaxCommonNameLength = 64;

    private readonly Option<string[]> _country = CliOptions.List("--country", "Subject: country, two letters", "US");
    private readonly Option<string[]> _organization = CliOptions.List("--organization", "Subject: organization", "Github");
    private readonly Option<string[]> _unit = CliOptions.List("--organization-unit", "Subject: organizational unit", "Technicianted");
    private readonly Option<string[]> _locality = CliOptions.List("--locality", "Subject: locality");
    private readonly Option<string[]> _province = CliOptions.List("--province", "Subject: state or province");
    private readonly Option<string[]> _street = CliOptions.List("--street", "Subject: street address");
    private readonly Option<string[]> _postalCode = CliOptions.List("--postal-code", "Subject: postal code");
    private readonly Option<string> _serial = CliOptions.Text("--serial", "Subject: serial number");

    private readonly Option<string?> _commonName = new("--common-name")
    {
        Description = "Subject: common name [default: the first name of the certificate, or Whip CA]",
    };

    public IEnumerable<Option> All => [_country, _organization, _unit, _locality, _province, _street, _postalCode, _serial, _commonName];

    /// <exception cref="WhipOptionException">A country is not two letters.</exception>
    public X500DistinguishedName Build(ParseResult parsed, string commonName)
    {
        // The builder encodes what was added last first: the encoded order is the original's.
        var subject = new X500DistinguishedNameBuilder();
        if (parsed.GetValue(_serial) is { Length: > 0 } serial)
        {
            subject.Add("2.5.4.5", serial);
        }

        commonName = parsed.GetValue(_commonName) ?? commonName;
        if (commonName.Length is > 0 and <= MaxCommonNameLength)
        {
            subject.AddCommonName(commonName);
        }

        Add(_postalCode, text => subject.Add("2.5.4.17", text));
        Add(_street, text => subject.Add("2.5.4.9", text));
        Add(_province, subject.AddStateOrProvinceName);
        Add(_locality, subject.AddLocalityName);
        Add(_unit, subject.AddOrganizationalUnitName);
        Add(_organization, subject.AddOrganizationName);
        Add(_country, country => subject.AddCountryOrRegion(CountryOf(country)));
        return subject.Build();

        void Add(Option<string[]> option, Action<string> add) => Array.ForEach(parsed.GetRequiredValue(option), add);
    }

    private string CountryOf(string text) => text.Length == 2 && text.All(char.IsAsciiLetter)
        ? text
        : throw new WhipOptionException(_country.Name, text, "not a country's two letters", "US");
}
