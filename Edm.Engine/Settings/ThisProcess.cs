using System.Security.Cryptography;

namespace Edm.Engine.Settings;

/// <summary>What there is once in a running process.</summary>
public sealed class ThisProcess
{
    private volatile bool draining;

    /// <summary>Random, so that an event in the journal can be told to be ours; below 2^53, so that it survives any JSON reader.</summary>
    public long Id { get; } = (long)(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) >> 11);

    /// <summary>The process was told to end: no mail may start any more.</summary>
    public bool IsDraining => draining;

    public void Drain() => draining = true;
}
