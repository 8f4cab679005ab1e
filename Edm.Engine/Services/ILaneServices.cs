using Edm.Contracts;

namespace Edm.Engine.Services;

/// <summary>Where a lane reads its services.</summary>
public interface ILaneServices
{
    /// <summary>All services of the lane that are not deleted, disabled ones included, passwords in clear.</summary>
    Task<IReadOnlyList<ServiceSettings>> LoadAsync(LaneId lane, CancellationToken cancellation);

    /// <summary>The service's page says what is wrong with it, in the server's words; null: nothing.</summary>
    Task SetLastErrorAsync(ServiceId service, string? error, CancellationToken cancellation);
}
