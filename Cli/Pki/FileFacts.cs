using System.Runtime.InteropServices;

namespace Whip.Cli.Pki;

/// <summary>What the file system says of a path itself: a link is not followed.</summary>
internal readonly partial record struct FileFacts(uint Mode, uint Owner, (uint Major, uint Minor, ulong Inode) Id)
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint BasicFacts = 0x7ff;
    private const int NoEntry = 2;
    private const int NoFolder = 20;
    private const uint KindMask = 0xf000;

    /// <summary>The user as whom this process opens files.</summary>
    public static uint CurrentUser => EffectiveUser();

    public bool IsLink => (Mode & KindMask) == 0xa000;

    public bool IsFolder => (Mode & KindMask) == 0x4000;

    public bool IsRegularFile => (Mode & KindMask) == 0x8000;

    public bool IsWritableByAll => (Mode & 2) != 0;

    /// <summary>Null: nothing is there.</summary>
    /// <exception cref="IOException">The path cannot be looked at.</exception>
    public static FileFacts? Of(string path)
    {
        if (Status(CurrentFolder, path, NoFollow, BasicFacts, out var status) == 0)
        {
            return new FileFacts(status.Mode, status.Owner, (status.DeviceMajor, status.DeviceMinor, status.Inode));
        }

        return Marshal.GetLastPInvokeError() is NoEntry or NoFolder ? null : throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    // Unlike stat(2), it has one layout on every processor.
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(int folder, string path, int flags, uint mask, out StatusBuffer status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatusBuffer
    {
        [FieldOffset(20)]
        public uint Owner;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
