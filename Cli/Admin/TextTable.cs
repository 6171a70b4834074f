using Whip.Protocol.Names;

namespace Whip.Cli.Admin;

/// <summary>A table, aligned for a terminal. An empty cell is a dash.</summary>
internal sealed class TextTable(params string[] head)
{
    private const string Gap = "  ";

    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(cell => cell.Length == 0 ? "-" : Printable.Clean(cell, maxLength: 512))]);

    /// <summary>Writes nothing if there are no rows.</summary>
    public void Write(TextWriter output)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        var widths = head.Select((title, column) => _rows.Max(row => Math.Max(row[column].Length, title.Length))).ToArray();
        foreach (var row in _rows.Prepend(head))
        {
            output.WriteLine(string.Join(Gap, row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }
}
