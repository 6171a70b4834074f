namespace Whip.Protocol.Options;

/// <summary>A file or a variable that holds one secret. One that is empty or cannot be read is refused: a listener must not be open because of it.</summary>
internal static class SecretFile
{
    /// <summary>A password: the text without its line end.</summary>
    /// <exception cref="WhipOptionException">The file cannot be used.</exception>
    public static string ReadPassword(string option, string path, string hint) => Password(ReadText(option, path, hint), option, path, hint);

    /// <summary>The same for a text that was read from <paramref name="source"/>.</summary>
    /// <exception cref="WhipOptionException">Nothing stands before its line end.</exception>
    public static string Password(string text, string option, string source, string hint)
    {
        var password = text.TrimEnd('\r', '\n');
        return password.Length > 0 ? password : throw new WhipOptionException(option, source, "is empty", hint);
    }

    /// <summary>A token that travels in a header: printable characters without blanks.</summary>
    /// <exception cref="WhipOptionException">The file cannot be used.</exception>
    public static string ReadToken(string option, string path, string hint)
    {
        var token = ReadText(option, path, hint).Trim();
        return token.Length > 0 && !token.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? token
            : throw new WhipOptionException(option, path, "holds no token of one line without blanks", hint);
    }

    private static string ReadText(string option, string path, string hint)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WhipOptionException(option, path, error.Message, hint);
        }
    }
}
