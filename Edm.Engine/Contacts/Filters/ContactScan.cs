using System.Data.Common;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Filters;

/// <summary>Tests that only the contacts themselves can answer, asked of those that are left, in steps, and within <see cref="ScanLimits"/>.</summary>
internal sealed class ContactScan(EdmConnection connection, UserId user, ScanLimits limits, TimeProvider time)
{
    /// <summary>Chunks of one statement: 65,536 contacts, so that the clock is looked at between.</summary>
    private const int ChunksOfStep = 8;

    /// <summary>Below this share of a step's contacts they are named one by one; above, all of the step are read, which costs less each.</summary>
    private const double SparseShare = 0.1;

    private FilterNode.Expanded? _segment;
    private int _read;
    private TimeSpan _spent;

    /// <summary>Until it is disposed, errors are about the segment: positions inside of it mean nothing to who wrote its name.</summary>
    public IDisposable Inside(FilterNode.Expanded segment)
    {
        var outermost = _segment is null;
        _segment ??= segment;
        return new Leaving(() => _segment = outermost ? null : _segment);
    }

    /// <exception cref="ContactFilterException">It would read too many, or takes too long.</exception>
    public async Task<ContactSet> OfAsync(FilterNode node, ContactSet candidates, CancellationToken cancellation)
    {
        var result = new ContactSet();
        var count = candidates.Count;
        if (count == 0)
        {
            return result;
        }

        _read += count;
        if (_read > limits.Contacts)
        {
            throw Refused(node, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"would have to read {count:N0} contacts, and {limits.Contacts:N0} are the most"));
        }

        var parameters = new List<DataParameter>();
        var test = new ContactFilterSql(connection.IsPostgres, parameters, "contacts").Of(node);
        foreach (var step in Steps(candidates))
        {
            var started = time.GetTimestamp();
            if (_spent >= limits.Time)
            {
                throw TooSlow(node);
            }

            try
            {
                await StepAsync(step, test, parameters, candidates, result, cancellation);
            }
            catch (DbException exception) when (exception.InnerException is TimeoutException || (exception is Npgsql.PostgresException { SqlState: "57014" } && !cancellation.IsCancellationRequested))
            {
                throw TooSlow(node);
            }

            _spent += time.GetElapsedTime(started);
        }

        result.IntersectWith(candidates);
        return result;
    }

    /// <summary>Whole addresses have an index of their own.</summary>
    public async Task<ContactSet> ByAddressAsync(FilterNode.Text node, ContactSet candidates, CancellationToken cancellation)
    {
        var result = new ContactSet();
        await using var command = await CommandAsync(cancellation);
        Add(command, "user", user.Value);
        command.CommandText = connection.IsPostgres
            ? "SELECT ordinal FROM contacts WHERE user_id = @user AND email_key = ANY(@addresses)"
            : "SELECT ordinal FROM contacts WHERE user_id = @user AND email_key IN (SELECT value FROM json_each(@addresses))";
        Add(command, "addresses", connection.IsPostgres ? node.Values.ToArray() : JsonSerializer.Serialize(node.Values));
        await ReadAsync(command, result, cancellation);
        result.IntersectWith(candidates);
        return result;
    }

    private static IEnumerable<(int First, int Last, int[]? Ordinals)> Steps(ContactSet candidates)
    {
        foreach (var chunks in candidates.Chunks.Chunk(ChunksOfStep))
        {
            var (first, last) = (ContactChunk.First(chunks[0]), ContactChunk.First(chunks[^1]) + ContactChunk.Size - 1);
            var count = chunks.Sum(chunk => ContactChunk.Count(candidates.Bits(chunk)));
            yield return count < (last - first + 1) * SparseShare
                ? (first, last, candidates.After(first - 1).TakeWhile(ordinal => ordinal <= last).ToArray())
                : (first, last, null);
        }
    }

    private async Task StepAsync(
        (int First, int Last, int[]? Ordinals) step, string test, List<DataParameter> parameters, ContactSet candidates, ContactSet result, CancellationToken cancellation)
    {
        await using var command = await CommandAsync(cancellation);
        command.CommandTimeout = Math.Max(1, (int)Math.Ceiling((limits.Time - _spent).TotalSeconds));
        Add(command, "user", user.Value);
        foreach (var parameter in parameters)
        {
            Add(command, parameter.Name!, parameter.Value!);
        }

        string which;
        if (step.Ordinals is { } ordinals)
        {
            which = connection.IsPostgres ? "ordinal = ANY(@ordinals)" : "ordinal IN (SELECT value FROM json_each(@ordinals))";
            Add(command, "ordinals", connection.IsPostgres ? ordinals : JsonSerializer.Serialize(ordinals));
        }
        else
        {
            which = "ordinal >= @first AND ordinal <= @last";
            Add(command, "first", step.First);
            Add(command, "last", step.Last);
        }

        command.CommandText = $"SELECT ordinal FROM contacts WHERE user_id = @user AND {which} AND {test}";
        await ReadAsync(command, result, cancellation);
    }

    private async Task<DbCommand> CommandAsync(CancellationToken cancellation)
    {
        var command = (await connection.OpenDbConnectionAsync(cancellation)).CreateCommand();
        command.Transaction = (DbTransaction?)connection.Transaction;
        return command;
    }

    private static async Task ReadAsync(DbCommand command, ContactSet result, CancellationToken cancellation)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            result.Add(reader.GetInt32(0));
        }
    }

    private static void Add(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }

    private ContactFilterException TooSlow(FilterNode node) =>
        Refused(node, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"took longer than {limits.Time.TotalSeconds:0.#} s"));

    private ContactFilterException Refused(FilterNode node, string why)
    {
        var what = node switch
        {
            FilterNode.Text text => $"{(text.Field.IsAttribute ? "attr." : "")}{text.Field.Name} {text.Test switch { TextTest.In => "=", TextTest.Contains => "contains", _ => "starts with" }} …",
            FilterNode.Empty empty => $"{empty.Field.Name} is empty",
            _ => "This test",
        };
        return new ContactFilterException(
            $"{(_segment is null ? "" : $"In the segment '{_segment.Name}': ")}'{what}' reads the contacts that the rest of the filter leaves; it {why}. Add a test joined by 'and' that leaves fewer, such as tag:NAME, country, category or followers",
            (_segment ?? node).At.Position);
    }

    private sealed class Leaving(Action leave) : IDisposable
    {
        public void Dispose() => leave();
    }
}
