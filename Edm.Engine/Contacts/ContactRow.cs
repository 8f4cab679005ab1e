using System.Data.Common;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Content;
using LinqToDB;
using LinqToDB.Mapping;

namespace Edm.Engine.Contacts;

/// <summary>The table contacts. Public because the sending path joins it with the audience.</summary>
[Table("contacts")]
public sealed record ContactRow
{
    [PrimaryKey, Identity] public ContactId Id { get; init; }
    [Column] public UserId UserId { get; init; }

    /// <summary>Dense within the user: its bit in every bitmap. Given out by the ContactBook alone.</summary>
    [Column] public int Ordinal { get; init; }

    [Column] public string Email { get; init; } = "";
    [Column] public string EmailKey { get; init; } = "";
    [Column] public string? Handle { get; init; }
    [Column] public string? Nickname { get; init; }
    [Column] public long? Followers { get; init; }
    [Column] public string? Country { get; init; }
    [Column] public string? Language { get; init; }
    [Column] public string? Category { get; init; }
    [Column] public string? Bio { get; init; }

    /// <summary>A JSON object of strings.</summary>
    [Column(DataType = DataType.BinaryJson)] public string Attributes { get; init; } = "{}";

    [Column] public string Status { get; init; } = ContactStatus.Active.Name();
    [Column] public long CreatedAt { get; init; }
    [Column] public long UpdatedAt { get; init; }

    // Lists read rows by themselves: what is prepared and mapped by hand takes a third of the time.
    internal const string Columns =
        "id, user_id, ordinal, email, email_key, handle, nickname, followers, country, language, category, bio, attributes, status, created_at, updated_at";

    /// <summary>A row of <see cref="Columns"/>.</summary>
    internal static ContactRow Read(DbDataReader row)
    {
        return new ContactRow
        {
            Id = new ContactId(row.GetInt64(0)),
            UserId = new UserId(row.GetInt64(1)),
            Ordinal = row.GetInt32(2),
            Email = row.GetString(3),
            EmailKey = row.GetString(4),
            Handle = Text(5),
            Nickname = Text(6),
            Followers = row.IsDBNull(7) ? null : row.GetInt64(7),
            Country = Text(8),
            Language = Text(9),
            Category = Text(10),
            Bio = Text(11),
            Attributes = row.GetString(12),
            Status = row.GetString(13),
            CreatedAt = row.GetInt64(14),
            UpdatedAt = row.GetInt64(15),
        };

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
    }

    public ContactCard ToCard() => new(
        Id, Email, Handle, Nickname, Followers, Country, Language, Category, Bio,
        ReadAttributes());

    public Dictionary<string, string> ReadAttributes() => Attributes == "{}" ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(Attributes) ?? [];

    public Contact ToContact() => new(
        UserId,
        ToCard(),
        ContactStatuses.TryParse(Status, out var status) ? status : throw new InvalidOperationException($"Contact {Id} has the unknown status '{Status}'."),
        DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
        DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
}
