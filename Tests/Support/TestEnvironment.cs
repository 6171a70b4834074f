using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Whip.Tests.Support;

internal static class TestEnvironment
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "No test has begun.")]
    internal static void Set() => LocalNames.NeedNoProxy();
}
