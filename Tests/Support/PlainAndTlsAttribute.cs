using System.Reflection;
using Xunit.Sdk;

namespace Whip.Tests.Support;

/// <summary>The same theory twice: plain, and with mutual TLS.</summary>
internal sealed class PlainAndTlsAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[false], [true]];
}
