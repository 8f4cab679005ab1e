using Edm.Engine.Contacts;

namespace Edm.Engine.Imports;

/// <summary>What a column holds.</summary>
internal enum ContactField
{
    /// <summary>Unknown to us, and kept.</summary>
    Attribute,
    Email,
    Handle,
    Nickname,
    FirstName,
    LastName,
    Followers,
    Country,
    Language,
    Category,
    Bio,
    Tags,
}

/// <param name="Name">As the file writes it.</param>
/// <param name="Rank">Of several columns for one field the lowest rank that has a value wins.</param>
/// <param name="Attribute">The name when it is kept as an attribute; empty when the header is.</param>
internal sealed record ImportColumn(string Name, ContactField Field, int Rank, string Attribute);

/// <summary>
/// Recognises columns by their names, as creator tools and cold-mail tools write them. Case, spaces, punctuation and line breaks in a header don't
/// matter: <c>Follower Count</c>, <c>follower_count</c> and <c>\nFollowers</c> are the same to us.
/// </summary>
internal static class ColumnMapping
{
    // In the order of preference: of "region" and "country_code" in one file the second is the country.
    private static readonly Dictionary<string, (ContactField Field, int Rank)> Known = Index(
        (ContactField.Email,
            "email emailaddress mail mailaddress workemail businessemail contactemail creatoremail primaryemail publicemail personalemail " +
            "emails email1 bioemail emailfrombio emailinbio 邮箱 邮箱地址 电子邮箱 电子邮件 联系邮箱 メールアドレス"),
        (ContactField.Handle,
            "handle uniqueid username handlename tiktokhandle tiktokusername instagramhandle instagramusername creatorhandle creatorusername " +
            "influencerhandle authoruniqueid authorusername accountname account screenname profilename author user tiktoker tiktokername " +
            "用户名 账号 达人账号 达人id"),
        (ContactField.Nickname,
            "nickname displayname fullname name nick creatorname influencername authorname tiktokname profilefullname contactname creator influencer 昵称 达人昵称 达人名称 名称"),
        (ContactField.FirstName, "firstname fname givenname"),
        (ContactField.LastName, "lastname lname surname familyname"),
        (ContactField.Followers,
            "followers followercount followerscount numberoffollowers followersnumber followernumber totalfollowers tiktokfollowers subscribers " +
            "subscriberscount subscribercount fans fanscount fancount fansnumber 粉丝数 粉丝 粉丝量 粉丝数量"),
        (ContactField.Country, "countrycode country countryname region regioncode 国家 国家地区 地区"),
        (ContactField.Language, "language lang languagecode contentlanguage 语言"),
        (ContactField.Category,
            "category categories categoryname maincategory niche niches topic topics topicofinfluence categorylabel vertical commercecategory 类目 分类 品类 领域 达人类目"),
        (ContactField.Bio, "bio biography signature about biotext biodescription profilebio profiledescription description aboutme intro introduction 简介 个人简介 签名 个性签名"),
        (ContactField.Tags, "tags tag taglist tagnames labels label 标签"));

    // They end in "email" and hold none.
    private static readonly HashSet<string> AboutEmail = ["hasemail", "isemail", "noemail", "sendemail", "lastemail", "allowemail", "validemail", "verifiedemail"];

    private const int OtherEmailRank = 100;

    public static ImportColumn Of(string header)
    {
        var attribute = AttributeName.Of(header);
        var key = attribute.Replace("_", "", StringComparison.Ordinal);
        if (Known.TryGetValue(key, out var known))
        {
            return new ImportColumn(header, known.Field, known.Rank, attribute);
        }

        // author_email, influencer_email, ...
        return key.EndsWith("email", StringComparison.Ordinal) && !AboutEmail.Contains(key)
            ? new ImportColumn(header, ContactField.Email, OtherEmailRank, attribute)
            : new ImportColumn(header, ContactField.Attribute, 0, attribute);
    }

    /// <summary>The columns of a header line. Attributes that would have the same name are told apart by <c>_2</c>, <c>_3</c> ...</summary>
    public static ImportColumn[] Of(IReadOnlyList<string> headers)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        return [.. headers.Select(header =>
        {
            var column = Of(header);
            if (column.Attribute.Length == 0)
            {
                return column;
            }

            var times = seen[column.Attribute] = seen.GetValueOrDefault(column.Attribute) + 1;
            return times == 1 || column.Field != ContactField.Attribute
                ? column
                : column with { Attribute = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{column.Attribute}_{times}") };
        })];
    }

    private static Dictionary<string, (ContactField Field, int Rank)> Index(params (ContactField Field, string Names)[] fields) =>
        fields.SelectMany(f => f.Names.Split(' ').Select((name, rank) => (name, f.Field, rank))).ToDictionary(e => e.name, e => (e.Field, e.rank), StringComparer.Ordinal);
}
