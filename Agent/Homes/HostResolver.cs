using System.Net;

namespace Whip.Agent.Homes;

/// <summary>Looks a host up; fails with a <see cref="System.Net.Sockets.SocketException"/>.</summary>
internal delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);
