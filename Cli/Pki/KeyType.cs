namespace Whip.Cli.Pki;

/// <summary>The kind of a new private key.</summary>
internal enum KeyType
{
    /// <summary>P-256.</summary>
    Ecdsa,

    /// <summary>3072 bits, the strength of P-256.</summary>
    Rsa,
}
