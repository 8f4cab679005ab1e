using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class ColumnMappingTests
{
    [Theory]
    [InlineData("email", ContactField.Email)]
    [InlineData("E-Mail", ContactField.Email)]
    [InlineData("bio_email", ContactField.Email)]
    [InlineData("Work Email", ContactField.Email)]
    [InlineData("author_email", ContactField.Email)]
    [InlineData("邮箱", ContactField.Email)]
    [InlineData("has_email", ContactField.Attribute)]
    [InlineData("email_status", ContactField.Attribute)]
    [InlineData("unique_id", ContactField.Handle)]
    [InlineData("Tiktoker name", ContactField.Handle)]
    [InlineData("profile_name", ContactField.Handle)]
    [InlineData("Tiktok name", ContactField.Nickname)]
    [InlineData("influencer name", ContactField.Nickname)]
    [InlineData("NAME", ContactField.Nickname)]
    [InlineData("fname", ContactField.FirstName)]
    [InlineData("lastName", ContactField.LastName)]
    [InlineData("\nFollowers", ContactField.Followers)]
    [InlineData("Subscribers count", ContactField.Followers)]
    [InlineData("follower_count", ContactField.Followers)]
    [InlineData("粉丝数", ContactField.Followers)]
    [InlineData("follower_count_growth_for_last_7_days", ContactField.Attribute)]
    [InlineData("COUNTRY", ContactField.Country)]
    [InlineData("region", ContactField.Country)]
    [InlineData("language", ContactField.Language)]
    [InlineData("TOPIC OF INFLUENCE", ContactField.Category)]
    [InlineData("niche", ContactField.Category)]
    [InlineData("signature", ContactField.Bio)]
    [InlineData("about", ContactField.Bio)]
    [InlineData("#", ContactField.Attribute)]
    [InlineData("", ContactField.Attribute)]
    internal void Columns_are_known_by_the_names_tools_give_them(string header, ContactField field) => Assert.Equal(field, ColumnMapping.Of(header).Field);

    [Theory]
    [InlineData("Correo electrónico", "Nombre de usuario", "Seguidores", "País", "Etiquetas")]
    [InlineData("Endereço de e-mail", "Nome de usuário", "Seguidores", "País", "Marcadores")]
    [InlineData("E-Mail-Adresse", "Benutzername", "Anzahl Follower", "Land", "Schlagwörter")]
    [InlineData("Adresse e-mail", "Nom d'utilisateur", "Abonnés", "Pays", "Étiquettes")]
    [InlineData("电子邮箱", "用户名", "粉丝数", "国家/地区", "标签")]
    [InlineData("メールアドレス", "ユーザー名", "フォロワー数", "国", "タグ")]
    [InlineData("이메일", "아이디", "팔로워 수", "국가", "태그")]
    [InlineData("Alamat email", "Nama pengguna", "Jumlah pengikut", "Negara", "Label")]
    [InlineData("Электронная почта", "Логин", "Подписчики", "Страна", "Теги")]
    [InlineData("ＥＭＡＩＬ", "TikTok Handle", "Followers (TikTok)", "Creator Country", "TAGS")]
    public void The_core_fields_are_known_in_many_languages(params string[] headers) =>
        Assert.Equal([ContactField.Email, ContactField.Handle, ContactField.Followers, ContactField.Country, ContactField.Tags], headers.Select(h => ColumnMapping.Of(h).Field));

    [Fact]
    public void A_mapping_of_the_user_comes_first()
    {
        var asked = ColumnMappingOverride.Of(new Dictionary<string, string> { ["Work E-Mail"] = "ignore", ["kontakt"] = "email", ["Note"] = "attribute:remark", ["email"] = "attribute" });

        var columns = ColumnMapping.Of((string[])["work_email", "Kontakt", "Note", "email", "country"], ColumnMappingOverride.FromJson(asked.ToJson()));

        Assert.Equal(
            [(ContactField.Ignored, "work_email"), (ContactField.Email, "kontakt"), (ContactField.Attribute, "remark"), (ContactField.Attribute, "email"), (ContactField.Country, "country")],
            columns.Select(c => (c.Field, c.Attribute)));
    }

    [Theory]
    [InlineData("a", "mail")]
    [InlineData("a", "attribute:!!")]
    [InlineData(" ", "email")]
    public void A_mapping_that_can_not_be_is_refused(string column, string target) =>
        Assert.Throws<Edm.Contracts.FieldException>(() => ColumnMappingOverride.Of(new Dictionary<string, string> { [column] = target }));

    [Fact]
    public void A_column_without_a_telling_name_is_known_by_its_addresses()
    {
        var columns = ColumnMapping.Of((string[])["who", "Kontakt"], sample: i => i == 0 ? ["Ann", "Bob"] : ["a@example.com", "b@example.com"]);

        Assert.Equal(ContactField.Email, columns[1].Field);
    }

    [Theory]
    [InlineData("Views (Avg.)", "views_avg")]
    [InlineData("custom:department", "custom_department")]
    [InlineData("  Ünïcode  Näme ", "ünïcode_näme")]
    [InlineData("国人", "国人")]
    [InlineData("#", "")]
    public void An_unknown_column_gets_a_name_that_templates_can_write(string header, string attribute) => Assert.Equal(attribute, ColumnMapping.Of(header).Attribute);

    [Fact]
    public void Unknown_columns_of_one_name_are_told_apart()
    {
        Assert.Equal(["views_avg", "views_avg_2", "views_avg_3"], ColumnMapping.Of((string[])["Views avg.", "views avg", "Views Avg"]).Select(c => c.Attribute));
    }

    [Theory]
    [MemberData(nameof(Exports))]
    public void The_exports_of_known_tools_are_understood(string columns, string expected)
    {
        var mapped = ColumnMapping.Of(columns.Split(',')).Where(c => c.Field != ContactField.Attribute).Select(c => $"{c.Name}:{c.Field}");

        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), mapped.Select(m => m.Replace(' ', '_')));
    }

    public static TheoryData<string, string> Exports { get; } = new()
    {
        { "influencer_id,media_url,profile_name,first_name,last_name,phone_number,email", "media_url:ProfileUrl profile_name:Handle first_name:FirstName last_name:LastName email:Email" },
        { "uid,unique_id,nickname,avatar,category_id,category_name,follower_count,region", "unique_id:Handle nickname:Nickname category_name:Category follower_count:Followers region:Country" },
        { "username,full_name,is_private,about,location,followers_count,followings_count", "username:Handle full_name:Nickname about:Bio followers_count:Followers" },
        { "bio_email,category_label,country_code,follower_count,nickname,unique_id,ins_id", "bio_email:Email category_label:Category country_code:Country follower_count:Followers nickname:Nickname unique_id:Handle" },
        { "username,continent,tier,language,verified,signature,bioLink,commerceCategory,region,following,followers", "username:Handle language:Language signature:Bio commerceCategory:Category region:Country followers:Followers" },
        { "#,NAME,FOLLOWERS,ER,COUNTRY,TOPIC OF INFLUENCE,POTENTIAL REACH", "NAME:Nickname FOLLOWERS:Followers COUNTRY:Country TOPIC_OF_INFLUENCE:Category" },
        { "email,firstName,lastName,company,role,phone,country,custom:department", "email:Email firstName:FirstName lastName:LastName country:Country" },
    };
}
