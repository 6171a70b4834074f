namespace Whip.Protocol.Preamble;

/// <summary>
/// Finds the closing brace of the JSON object a leg begins with, however it arrives in pieces, so that not one byte behind it
/// is taken from the stream.
/// </summary>
internal struct PreambleScanner
{
    private int _depth;
    private bool _inString;
    private bool _escaped;

    /// <summary>
    /// Scans the next piece. Positive: the object ends before that offset. Zero: it goes on. Negative: this is not a JSON object.
    /// </summary>
    public int Scan(ReadOnlySpan<byte> piece)
    {
        for (var i = 0; i < piece.Length; i++)
        {
            var c = piece[i];
            if (_inString)
            {
                _inString = _escaped || c != '"';
                _escaped = !_escaped && c == '\\';
            }
            else if (c == '{')
            {
                _depth++;
            }
            else if (_depth == 0)
            {
                return -1;
            }
            else if (c == '"')
            {
                _inString = true;
            }
            else if (c == '}' && --_depth == 0)
            {
                return i + 1;
            }
        }

        return 0;
    }
}
