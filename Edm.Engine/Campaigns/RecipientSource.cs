using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Content;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Campaigns;

/// <summary>Reads audiences for the sending path.</summary>
public sealed class RecipientSource(EdmDatabase database) : IRecipientSource
{
    public Task<TaskContext?> ContextAsync(TaskId task, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            var rows = await connection.QueryToListAsync<TaskRow>("SELECT * FROM tasks WHERE id = @task", cancellation, new DataParameter("task", task.Value));
            return rows is [var row]
                ? new TaskContext(
                    task, new UserId(row.UserId), new CampaignId(row.CampaignId), row.Round, new TemplateId(row.TemplateId), row.TemplateVersion, new PoolId(row.PoolId))
                : null;
        },
        cancellation);

    public async Task<IReadOnlyList<LoadedRecipient>> LoadAsync(TaskId task, IReadOnlyList<int> seqs, CancellationToken cancellation)
    {
        var rows = await database.RunAsync(
            connection => connection.QueryToListAsync<LoadedRow>(
                $"""
                 SELECT a.seq, c.id, c.email, c.handle, c.nickname, c.followers, c.country, c.language, c.category, c.bio, c.attributes, c.status,
                   CASE WHEN c.id IS NULL AND EXISTS (SELECT 1 FROM erasures e WHERE e.contact_id = a.contact_id) THEN 1 ELSE 0 END AS erased
                 FROM audience a LEFT JOIN contacts c ON c.id = a.contact_id
                 WHERE a.task_id = @task AND a.seq {SeqList.In(connection)}
                 """,
                cancellation, new DataParameter("task", task.Value), SeqList.Parameter(connection, seqs)),
            cancellation);
        var found = rows.ToDictionary(row => row.Seq);
        return [.. seqs.Select(seq => found.TryGetValue(seq, out var row) ? row.ToRecipient() : new LoadedRecipient(seq, null, "is not in the audience"))];
    }

    private sealed class LoadedRow
    {
        [Column] public int Seq { get; init; }
        [Column] public long? Id { get; init; }
        [Column] public string? Email { get; init; }
        [Column] public string? Handle { get; init; }
        [Column] public string? Nickname { get; init; }
        [Column] public long? Followers { get; init; }
        [Column] public string? Country { get; init; }
        [Column] public string? Language { get; init; }
        [Column] public string? Category { get; init; }
        [Column] public string? Bio { get; init; }
        [Column] public string? Attributes { get; init; }
        [Column] public string? Status { get; init; }
        [Column] public int Erased { get; init; }

        private static readonly string Active = ContactStatus.Active.Name();

        public LoadedRecipient ToRecipient()
        {
            if (Id is not { } id || Email is null)
            {
                return new LoadedRecipient(Seq, null, Erased == 1 ? "the person was erased" : "the contact was deleted");
            }

            return Status == Active
                ? new LoadedRecipient(Seq, new ContactCard(new ContactId(id), Email, Handle, Nickname, Followers, Country, Language, Category, Bio, ReadAttributes()), null)
                : new LoadedRecipient(Seq, null, $"the contact is {Status}");
        }

        private Dictionary<string, string> ReadAttributes() =>
            Attributes is null or "{}" ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(Attributes) ?? [];
    }
}
