using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Grpc.Core;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>Validates the first message of a control stream.</summary>
internal static class Registration
{
    private const int MaxPorts = 64;
    private const int MaxTextLength = 64;

    /// <summary>Creates the route of a valid Register, or the status that refuses it.</summary>
    public static bool TryAccept(
        RequestStream? message, PeerIdentity? peer, string brokerId, DateTimeOffset now, [NotNullWhen(true)] out StreamRoute? route, out Status refusal)
    {
        route = null;
        if (message?.Register is not { } register)
        {
            return Refuse(StatusCode.InvalidArgument, "the first message must be Register", out refusal);
        }

        if (!InstanceName.TryCreate(register.Hostname, register.Domain, out var name))
        {
            var shown = Printable.Clean($"{register.Hostname}.{register.Domain}");
            return Refuse(StatusCode.InvalidArgument, $"\"{shown}\" is not a hostname and a domain of DNS labels", out refusal);
        }

        if (register.Ports.Count is 0 or > MaxPorts || register.Ports.Any(port => port is 0 or > 65535))
        {
            return Refuse(StatusCode.InvalidArgument, $"{name} must publish 1 to {MaxPorts} ports from 1 to 65535", out refusal);
        }

        if (HealthReports.Read(register, now) is not { } failing)
        {
            return Refuse(StatusCode.InvalidArgument, $"{name} tells of the health of a port that it does not publish", out refusal);
        }

        if (peer is not null && !peer.Covers(name.FullName))
        {
            return Refuse(StatusCode.PermissionDenied, $"the certificate ({peer}) does not cover {name}", out refusal);
        }

        refusal = Status.DefaultSuccess;
        route = new StreamRoute
        {
            StreamId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
            BrokerId = brokerId,
            Name = name,
            Ports = [.. register.Ports.Select(port => (int)port).Distinct()],
            AgentId = Printable.Clean(register.AgentId, MaxTextLength),
            Generation = register.Generation,
            Leaf = peer is not null ? string.Join(' ', peer.Names) : "",
            Zone = Printable.Clean(register.Zone, MaxTextLength),
            Failing = failing,
        };
        return true;
    }

    private static bool Refuse(StatusCode code, string message, out Status refusal)
    {
        refusal = new Status(code, message);
        return false;
    }
}
