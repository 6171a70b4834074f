namespace Whip.Protocol.Options;

/// <summary>A file that holds one secret. One that is empty or cannot be read is refused: a listener must not be open because of it.</summary>
internal static class SecretFile
{
    /// <summary>A password: the text without its line end.</summary>
    /// <exception cref="WhipOptionException">The file cannot be used.</exception>
    public static string ReadPassword(string option, string path, string hint)
    {
        var text = ReadText(option, path, hint).TrimEnd('\r', '\n');
        return text.Length > 0 ? text : throw new WhipOptionException(option, path, "the file is empty", hint);
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
