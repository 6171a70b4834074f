using System.Reflection;
using Orleans.Concurrency;
using Orleans.Services;
using Whip.Grains.Silos;
using Whip.Tests.Docs;

namespace Whip.Tests.Grains;

/// <summary>
/// What silos of several versions say to each other is one file, which changes only on purpose: members and ids are added, and never renamed,
/// renumbered or reused. A grain service is known by the CLR name of its interface, everything else by its alias.
/// </summary>
public sealed class ContractsTests
{
    [Fact]
    public void Silos_say_what_the_contracts_file_has()
    {
        var types = typeof(IBrokerSilo).Assembly.GetTypes().OrderBy(type => type.FullName, StringComparer.Ordinal).ToList();
        string[] actual =
        [
            .. types.Where(type => type.IsInterface && type.IsAssignableTo(typeof(IAddressable))).SelectMany(Interface),
            .. types.Where(type => type.GetCustomAttribute<GrainTypeAttribute>() is not null).Select(Class),
            .. types.Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null).SelectMany(Message),
        ];
        Assert.Equal(File.ReadAllLines(Path.Combine(Documents.Root, "Grains", "Contracts.txt")), actual);
    }

    private static IEnumerable<string> Interface(Type type)
    {
        var alias = type.GetCustomAttribute<AliasAttribute>()?.Alias;
        var bases = string.Join(' ', type.GetInterfaces().Where(i => i.Assembly == type.Assembly).Select(i => i.Name));
        yield return type.IsAssignableTo(typeof(IGrainService)) ? $"service {type.FullName} {alias}" : $"grain {alias ?? type.Name} {bases}".TrimEnd();
        foreach (var method in type.GetMethods().OrderBy(method => method.Name, StringComparer.Ordinal))
        {
            var oneWay = method.GetCustomAttribute<OneWayAttribute>() is null ? "" : " one-way";
            var limit = method.GetCustomAttribute<ResponseTimeoutAttribute>() is { } timeout ? $" {timeout.Timeout:c}" : "";
            var parameters = string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}"));
            yield return $"  {method.GetCustomAttribute<AliasAttribute>()?.Alias}({parameters}) -> {Name(method.ReturnType)}{oneWay}{limit}";
        }
    }

    private static string Class(Type type)
    {
        var interfaces = type.GetInterfaces().Select(i => i.GetCustomAttribute<AliasAttribute>()?.Alias).OfType<string>().Order(StringComparer.Ordinal);
        return $"grain type {type.GetCustomAttribute<GrainTypeAttribute>()!.GetGrainType(null!, type)} is {string.Join(' ', interfaces)}";
    }

    private static IEnumerable<string> Message(Type type)
    {
        yield return $"message {type.GetCustomAttribute<AliasAttribute>()?.Alias}";
        var members = type.GetProperties().Select(property => (Id: property.GetCustomAttribute<IdAttribute>()?.Id, property))
            .Where(member => member.Id is not null);
        foreach (var (id, property) in members.OrderBy(member => member.Id))
        {
            yield return $"  {id} {Name(property.PropertyType)} {property.Name}";
        }
    }

    private static string Name(Type type) => type.IsGenericType
        ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;
}
