using Whip.Protocol.Options;

namespace Whip.Tests.Protocol;

public sealed class LiveFileTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly LiveFile<string> _pair;

    public LiveFileTests()
    {
        Write("a", "1");
        Write("b", "1");
        _pair = new LiveFile<string>([_folder.PathOf("a"), _folder.PathOf("b")], ReadPair);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Content_that_has_not_changed_is_not_read_again()
    {
        Write("a", "1");
        Assert.Equal((FileChange.None, "1"), (_pair.Look(), _pair.Value));
    }

    [Fact]
    public void Two_files_that_are_written_one_after_the_other_are_no_fault()
    {
        Write("a", "2");
        Assert.Equal((FileChange.None, null, "1"), (_pair.Look(), _pair.Problem, _pair.Value));
        Write("b", "2");
        Assert.Equal((FileChange.Taken, null, "2"), (_pair.Look(), _pair.Problem, _pair.Value));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_fault_that_stays_is_told_once_until_it_is_mended(bool atOnce)
    {
        Write("a", "2");
        Assert.Equal(atOnce ? FileChange.Refused : FileChange.None, _pair.Look(atOnce));
        Assert.Equal(atOnce ? FileChange.None : FileChange.Refused, _pair.Look());
        Assert.Equal((FileChange.None, "no pair", "1"), (_pair.Look(), _pair.Problem, _pair.Value));
        Write("a", "1");
        Assert.Equal((FileChange.Taken, null), (_pair.Look(), _pair.Problem));
        Assert.Equal(FileChange.None, _pair.Look());
    }

    [Fact]
    public void A_file_that_is_gone_is_a_fault()
    {
        File.Delete(_folder.PathOf("a"));
        Assert.Equal(FileChange.Refused, _pair.Look(atOnce: true));
        Assert.Equal("1", _pair.Value);
    }

    private void Write(string name, string text) => _folder.Write(name, text);

    private string ReadPair()
    {
        var (a, b) = (File.ReadAllText(_folder.PathOf("a")), File.ReadAllText(_folder.PathOf("b")));
        return a == b ? a : throw new FormatException("no pair");
    }
}
