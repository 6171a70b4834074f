namespace Whip.Registry;

/// <summary>One waiting dial. Disposing it gives its place back.</summary>
internal interface IRouteWatch : IDisposable
{
    /// <summary>Completes when the name, or an instance of the domain of that name, was announced after the watch began, or is live elsewhere.</summary>
    Task Announced { get; }
}
