namespace Whip.Broker;

/// <summary>What a broker tells agents about itself, known once its listeners are bound.</summary>
/// <param name="BrokerId">Its name in the cluster.</param>
/// <param name="ExternalTcp">Where legs go, <c>host:port</c>.</param>
/// <param name="ExternalTcpHost">The host of it.</param>
/// <param name="ExternalTcpPort">The port of it.</param>
internal sealed record BrokerIdentity(string BrokerId, string ExternalTcp, string ExternalTcpHost, int ExternalTcpPort);
