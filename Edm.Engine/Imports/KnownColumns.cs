using System.Text;

namespace Edm.Engine.Imports;

/// <summary>What columns are called by creator tools, cold-mail tools, shops and people, in the languages they write.</summary>
internal static class KnownColumns
{
    // In the order of preference: of "region" and "country_code" in one file the second is the country.
    private static readonly Dictionary<string, (ContactField Field, int Rank)> Names = Index(
        (ContactField.Email,
            """
            email emailaddress mail mailaddress workemail businessemail contactemail creatoremail primaryemail publicemail personalemail emails email1 bioemail emailfrombio emailinbio
            emailid useremail mailid correo correoelectronico direcciondecorreo direcciondecorreoelectronico endereçodeemail enderecodeemail emailadresse mailadresse epost
            courriel adressemail adresseemail adressecourriel adresseelectronique 邮箱 邮箱地址 电子邮箱 电子邮件 电子邮件地址 联系邮箱 邮件 商务邮箱 電子郵件 信箱 メール メールアドレス eメール 電子メール 이메일 이메일주소 메일 전자우편
            surel alamatemail alamatsurel почта эпочта электроннаяпочта адресэлектроннойпочты емейл имейл эладрес емайл
            """),
        (ContactField.Handle,
            """
            handle uniqueid username handlename tiktokhandle tiktokusername instagramhandle instagramusername creatorhandle creatorusername influencerhandle authoruniqueid authorusername
            accountname account screenname profilename author user tiktoker tiktokername tiktokid channelname usuario nombredeusuario nomedeusuario nomeusuario utilizador arroba
            benutzername benutzer nutzername identifiant pseudo nomdutilisateur 用户名 账号 帐号 账号名 抖音号 达人账号 达人id 用户id 使用者名稱 帳號 ユーザー名 ユーザーid アカウント アカウント名 사용자이름 사용자명 아이디 계정 계정명
            namapengguna akun логин имяпользователя никнейм аккаунт юзернейм
            """),
        (ContactField.Nickname,
            """
            nickname displayname fullname name nick creatorname influencername authorname tiktokname profilefullname contactname creator influencer nombre nombrecompleto apodo alias nome
            nomecompleto apelido anzeigename vollständigername vollstandigername nomcomplet surnom nomaffiche 昵称 达人昵称 达人名称 名称 姓名 名字 博主 网红 暱稱 名前 氏名 表示名 ニックネーム 이름 성명 닉네임 별명 nama namalengkap
            namatampilan namapanggilan имя полноеимя фио псевдоним блогер
            """),
        (ContactField.FirstName, "firstname fname givenname forename primernombre primeironome vorname prenom namadepan 名"),
        (ContactField.LastName, "lastname lname surname familyname apellido apellidos sobrenome ultimonome nachname familienname nomdefamille namabelakang фамилия 姓"),
        (ContactField.Followers,
            """
            followers followercount followerscount numberoffollowers followersnumber followernumber totalfollowers tiktokfollowers subscribers subscriberscount subscribercount fans
            fanscount fancount fansnumber nooffollowers follower seguidores numerodeseguidores suscriptores cantidaddeseguidores inscritos abonnenten followerzahl anzahlfollower abonnenten abonnes
            nombredabonnes nbabonnes 粉丝数 粉丝 粉丝量 粉丝数量 粉絲數 粉絲 关注者 フォロワー フォロワー数 팔로워 팔로워수 구독자 구독자수 pengikut jumlahpengikut подписчики подписчиков количествоподписчиков числоподписчиков
            """),
        (ContactField.Country,
            """
            countrycode country countryname region regioncode pais codigopais codigodepais land landercode landescode pays codepays 国家 国家地区 地区 国家代码 國家 国 国名 地域 국가 나라 지역 negara kodenegara wilayah
            страна кодстраны регион
            """),
        (ContactField.Language, "language lang languagecode contentlanguage idioma lengua lingua sprache langue 语言 語言 言語 언어 bahasa язык"),
        (ContactField.Category,
            """
            category categories categoryname maincategory niche niches topic topics topicofinfluence categorylabel vertical commercecategory categoria categorias nicho tema kategorie thema nische
            categorie thematique 类目 分类 品类 领域 达人类目 類別 分類 カテゴリ カテゴリー ジャンル 카테고리 분야 kategori topik категория тематика ниша
            """),
        (ContactField.Bio,
            """
            bio biography signature about biotext biodescription profilebio profiledescription description aboutme intro introduction biografia descripcion sobremi descricao biografie
            beschreibung uebermich profilbeschreibung apropos 简介 个人简介 签名 个性签名 簡介 自己紹介 プロフィール 紹介文 소개 자기소개 프로필 biodata deskripsi описание биография осебе
            """),
        (ContactField.ProfileUrl,
            """
            profileurl profilelink tiktokurl tiktoklink tiktokprofile profile instagramurl instagramlink instagramprofile creatorurl creatorlink channelurl channellink accounturl accountlink
            mediaurl homepageurl url link enlace urldelperfil linkdoperfil perfil profillink profilurl lienduprofil 主页链接 主页 链接 达人主页 个人主页 プロフィールurl 프로필링크 프로필url tautan tautanprofil ссылка ссылканапрофиль профиль
            """),
        (ContactField.Tags,
            "tags tag taglist tagnames labels label etiquetas etiqueta marcadores schlagworte schlagworter schlagwoerter etiquettes etiquette 标签 标记 標籤 タグ 태그 тег теги метки"));

    // They end in "email" and hold none.
    private static readonly HashSet<string> AboutEmail = ["hasemail", "isemail", "noemail", "sendemail", "lastemail", "allowemail", "validemail", "verifiedemail"];

    private static readonly string[] Owners = ["creator", "influencer", "author", "tiktok", "instagram", "channel", "profile", "account", "contact", "user", "kol", "达人", "博主"];

    private const int OwnedRank = 100;
    private const int OtherEmailRank = 200;

    /// <summary>Null when the name says nothing to us.</summary>
    public static (ContactField Field, int Rank, string Reason)? Find(string header)
    {
        var key = Key(header);
        if (key.Length == 0)
        {
            return null;
        }

        if (Names.TryGetValue(key, out var known))
        {
            return (known.Field, known.Rank, "by its name");
        }

        // Followers (TikTok), Email*: what stands in brackets explains.
        if (header.AsSpan().IndexOfAny("([（【") is > 0 and var bracket && Names.TryGetValue(Key(header[..bracket]), out known))
        {
            return (known.Field, OwnedRank + known.Rank, "by its name before the bracket");
        }

        foreach (var owner in Owners)
        {
            if (key.StartsWith(owner, StringComparison.Ordinal) && Names.TryGetValue(key[owner.Length..], out known))
            {
                return (known.Field, OwnedRank + known.Rank, $"by its name without '{owner}'");
            }
        }

        // author_email, influencer_email, ...
        return key.EndsWith("email", StringComparison.Ordinal) && !AboutEmail.Contains(key) ? (ContactField.Email, OtherEmailRank, "its name ends in 'email'") : null;
    }

    /// <summary>What is left of a name when case, marks, spaces and accents don't count.</summary>
    internal static string Key(string header)
    {
        var key = new StringBuilder(Math.Min(header.Length, 64));
        foreach (var character in header)
        {
            if (key.Length == 64)
            {
                break;
            }

            // Full-width letters, as East Asian keyboards write them.
            var plain = character is >= '！' and <= '～' ? (char)(character - '！' + '!') : character;
            if (char.IsLetterOrDigit(plain))
            {
                key.Append(Plain(char.ToLowerInvariant(plain)));
            }
        }

        return key.ToString();
    }

    private static char Plain(char letter) => letter switch
    {
        'á' or 'à' or 'â' or 'ã' or 'ä' or 'å' => 'a',
        'é' or 'è' or 'ê' or 'ë' => 'e',
        'í' or 'ì' or 'î' or 'ï' => 'i',
        'ó' or 'ò' or 'ô' or 'õ' or 'ö' => 'o',
        'ú' or 'ù' or 'û' or 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        'ё' => 'е',
        _ => letter,
    };

    private static Dictionary<string, (ContactField Field, int Rank)> Index(params (ContactField Field, string Names)[] fields)
    {
        var index = new Dictionary<string, (ContactField, int)>(StringComparer.Ordinal);
        foreach (var (field, names) in fields)
        {
            foreach (var (rank, name) in names.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Index())
            {
                index.TryAdd(Key(name), (field, rank));
            }
        }

        return index;
    }
}
