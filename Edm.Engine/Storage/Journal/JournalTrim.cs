namespace Edm.Engine.Storage.Journal;

/// <summary>
/// Goes once through all entities and takes out of the journal what nobody will read again: events that an entity's latest snapshot holds and that every
/// projection has stored. The newest event of each entity always stays, because its sequence number must.
/// </summary>
/// <param name="projections">The names of all that read the journal, as they stand in <c>projection_offsets</c>.</param>
internal sealed class JournalTrim(JournalTrimStore store, IReadOnlyList<string> projections, TrimRules rules, TimeProvider time)
{
    /// <returns>How many events went.</returns>
    public async Task<long> RunAsync(CancellationToken cancellation)
    {
        var gone = 0L;
        string? after = "";
        while (after is not null)
        {
            // Asked again for each page: a projection that begins to lag meanwhile needs the database more than we do.
            if (await store.ReadByAllAsync(projections, rules.LagsAfter, cancellation) is not { } position)
            {
                break;
            }

            (var candidates, after) = await store.PageAsync(after, rules, cancellation);
            foreach (var entity in candidates)
            {
                gone += await TrimAsync(entity, position, cancellation);
            }
        }

        return gone;
    }

    private async Task<long> TrimAsync(TrimCandidate entity, long position, CancellationToken cancellation)
    {
        for (var gone = 0L; ;)
        {
            var batch = await store.DeleteAsync(entity, position, rules.Batch, cancellation);
            gone += batch;
            if (batch > 0)
            {
                await Task.Delay(rules.Pause, time, cancellation);
            }

            if (batch < rules.Batch)
            {
                return gone;
            }
        }
    }
}
