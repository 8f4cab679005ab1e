using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>What the choice among services looks at, as the service itself last said it.</summary>
/// <param name="PaceMs">See <see cref="ServiceScore.PaceMs"/>.</param>
/// <param name="QuotaShare">See <see cref="ServiceQuota.Share"/>.</param>
/// <param name="Success">See <see cref="SuccessRate.Rate"/>.</param>
/// <param name="Providers">By provider: what it may send there now, and how well it did.</param>
/// <param name="NextMs">Without credits: when it expects the next one, if that takes long; <see cref="long.MaxValue"/> when nobody can tell; else 0.</param>
internal sealed record Standing(double PaceMs, double QuotaShare, double Success, IReadOnlyList<ProviderStanding> Providers, long NextMs = 0);

/// <param name="Room">Mails to this provider that may be bound now; <see cref="int.MaxValue"/> without a cap.</param>
/// <param name="Fit">Share of the last mails to it that were taken.</param>
/// <param name="NextMs">When there is room again, if there is none now; <see cref="long.MaxValue"/> when nobody can tell.</param>
/// <param name="EveryMs">The time between two mails to it at the pace that it allows; 0 where it does not complain.</param>
internal readonly record struct ProviderStanding(int Room, double Fit, long NextMs, double EveryMs = 0);
