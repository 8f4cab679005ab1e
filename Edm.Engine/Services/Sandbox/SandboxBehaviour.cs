using System.Collections.Concurrent;
using Edm.Contracts;

namespace Edm.Engine.Services.Sandbox;

/// <summary>How the sandbox misbehaves. Shares are of all mails, 0 to 1, and together at most 1; the rest is taken as it should be.</summary>
public sealed record SandboxBehaviour
{
    public static SandboxBehaviour Good { get; } = new();

    /// <summary>Answered with 4xx: half of them at RCPT, half at the end of data.</summary>
    public double DeferShare { get; init; }

    /// <summary>Answered with 550 at RCPT.</summary>
    public double RejectShare { get; init; }

    /// <summary>Read to the end of data, then the connection is closed without a reply.</summary>
    public double DropShare { get; init; }

    /// <summary>Whether a mail that is dropped was kept before: nobody outside can tell, which is the point.</summary>
    public bool KeepDropped { get; init; }

    /// <summary>Between the end of data and the reply; at most 10 minutes.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Closes each connection after this many mails, right after the reply; null: never.</summary>
    public int? DisconnectEvery { get; init; }

    /// <exception cref="FieldException">A value can't be used.</exception>
    public void Check()
    {
        Share("deferShare", DeferShare);
        Share("rejectShare", RejectShare);
        Share("dropShare", DropShare);
        if (DeferShare + RejectShare + DropShare > 1 + 1e-9)
        {
            throw new FieldException("dropShare", "deferShare, rejectShare and dropShare together are more than 1.");
        }

        if (Delay < TimeSpan.Zero || Delay > TimeSpan.FromMinutes(10))
        {
            throw new FieldException("delay", "Expected 0 to 10 minutes.");
        }

        if (DisconnectEvery is < 1)
        {
            throw new FieldException("disconnectEvery", "Expected 1 or more, or null for never.");
        }
    }

    private static void Share(string field, double share)
    {
        if (share is not (>= 0 and <= 1))
        {
            throw new FieldException(field, $"{share.ToString(System.Globalization.CultureInfo.InvariantCulture)} is not a share. Expected 0 to 1.");
        }
    }
}

/// <summary>The behaviour for everybody, and for single login names; changed while mails come in. Not kept over a restart: a fresh sandbox is a good one.</summary>
public sealed class SandboxBehaviours
{
    /// <summary>One for each service is plenty; a script that invents names must not fill the memory.</summary>
    private const int MaxLogins = 10_000;

    private readonly ConcurrentDictionary<string, SandboxBehaviour> _byLogin = [];
    private SandboxBehaviour _all = SandboxBehaviour.Good;

    /// <summary>Those of single login names.</summary>
    public IReadOnlyDictionary<string, SandboxBehaviour> ByLogin => _byLogin;

    public SandboxBehaviour All => Volatile.Read(ref _all);

    public SandboxBehaviour For(string? login) => login is not null && _byLogin.TryGetValue(login, out var own) ? own : All;

    /// <param name="login">Null: for everybody who has none of its own.</param>
    /// <param name="behaviour">Null: a login name follows the others again; everybody is good again.</param>
    /// <exception cref="FieldException">A value can't be used.</exception>
    public void Set(string? login, SandboxBehaviour? behaviour)
    {
        behaviour?.Check();
        if (login is null)
        {
            Volatile.Write(ref _all, behaviour ?? SandboxBehaviour.Good);
        }
        else if (behaviour is null)
        {
            _byLogin.TryRemove(login, out _);
        }
        else if (_byLogin.Count < MaxLogins || _byLogin.ContainsKey(login))
        {
            _byLogin[login] = behaviour;
        }
        else
        {
            throw new FieldException("login", $"There are {MaxLogins} behaviours already. Take some away first.");
        }
    }
}
