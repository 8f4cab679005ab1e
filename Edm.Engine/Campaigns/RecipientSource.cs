using System.Data.Common;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Content;
using Edm.Engine.Storage;

namespace Edm.Engine.Campaigns;

/// <summary>Reads audiences for the sending path: with many users two questions for every few mails, so they are prepared. Planning them took three times as long as answering.</summary>
public sealed class RecipientSource(EdmDatabase database) : IRecipientSource
{
    private static readonly string Active = ContactStatus.Active.Name();

    public async Task<LoadedRecipients?> LoadAsync(TaskId task, IReadOnlyList<int> seqs, CancellationToken cancellation)
    {
        TaskContext? context = null;
        var found = new Dictionary<int, LoadedRecipient>(seqs.Count);
        await database.RunAsync(
            connection =>
            {
                var batch = new SqlBatch(connection);
                return batch
                    .Read(
                        "SELECT user_id, campaign_id, round, template_id, template_version, pool_id FROM tasks WHERE id = @task",
                        row => context = new TaskContext(
                            task, new UserId(row.GetInt64(0)), new CampaignId(row.GetInt64(1)), row.GetInt32(2), new TemplateId(row.GetInt64(3)), row.GetInt32(4),
                            new PoolId(row.GetInt64(5))),
                        ("@task", task.Value))
                    .Read(
                        $"""
                         SELECT a.seq, c.id, c.email, c.handle, c.nickname, c.followers, c.country, c.language, c.category, c.bio, c.attributes, c.status,
                           CASE WHEN c.id IS NULL AND EXISTS (SELECT 1 FROM erasures e WHERE e.contact_id = a.contact_id) THEN 1 ELSE 0 END AS erased
                         FROM audience a LEFT JOIN contacts c ON c.id = a.contact_id
                         WHERE a.task_id = @task AND a.seq {batch.In("@seqs")}
                         """,
                        row => found.Add(row.GetInt32(0), Read(row)),
                        ("@task", task.Value), ("@seqs", seqs as int[] ?? [.. seqs]))
                    .ExecuteAsync(cancellation);
            },
            cancellation);
        return context is null
            ? null
            : new LoadedRecipients(context, [.. seqs.Select(seq => found.GetValueOrDefault(seq) ?? new LoadedRecipient(seq, null, "is not in the audience"))]);
    }

    private static LoadedRecipient Read(DbDataReader row)
    {
        var seq = row.GetInt32(0);
        if (row.IsDBNull(1) || Text(2) is not { } email)
        {
            return new LoadedRecipient(seq, null, row.GetInt32(12) == 1 ? "the person was erased" : "the contact was deleted");
        }

        return row.GetString(11) is var status && status == Active
            ? new LoadedRecipient(
                seq,
                new ContactCard(
                    new ContactId(row.GetInt64(1)), email, Text(3), Text(4), row.IsDBNull(5) ? null : row.GetInt64(5), Text(6), Text(7), Text(8), Text(9), ReadAttributes(Text(10))),
                null)
            : new LoadedRecipient(seq, null, $"the contact is {status}");

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
    }

    private static Dictionary<string, string> ReadAttributes(string? attributes) =>
        attributes is null or "{}" ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(attributes) ?? [];
}
