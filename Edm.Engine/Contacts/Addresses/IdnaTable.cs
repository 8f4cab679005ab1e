using System.Globalization;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>The bidirectional classes that RFC 5893 tells apart.</summary>
internal enum BidiClass
{
    L,
    R,
    AL,
    AN,
    EN,
    ES,
    CS,
    ET,
    ON,
    BN,
    NSM,

    /// <summary>Never in a label: separators, spaces and embeddings.</summary>
    Other,
}

/// <summary>What UTS 46, RFC 5892 and RFC 5893 need to know of code points beyond ASCII. Read at the first internationalised name: most processes never meet one.</summary>
internal sealed class IdnaTable
{
    private static readonly Lazy<IdnaTable> Shared = new(() => new IdnaTable());

    private readonly Ranges<string> _mapped = new();
    private readonly Ranges<bool> _valid = new();
    private readonly Ranges<BidiClass> _bidi = new();
    private readonly Ranges<char> _joining = new();

    private IdnaTable()
    {
        foreach (var line in TableResource.Lines("idna.txt"))
        {
            var fields = line.Split(' ');
            var dash = fields[1].IndexOf('-', StringComparison.Ordinal);
            var first = Number(dash < 0 ? fields[1] : fields[1][..dash]);
            var last = dash < 0 ? first : Number(fields[1][(dash + 1)..]);
            switch (fields[0])
            {
                case "v":
                    _valid.Add(first, last, true);
                    break;
                case "m":
                    _mapped.Add(first, last, string.Concat(fields.Skip(2).Select(f => char.ConvertFromUtf32(Number(f)))));
                    break;
                case "i":
                    _mapped.Add(first, last, "");
                    break;
                case "b":
                    _bidi.Add(first, last, Enum.Parse<BidiClass>(fields[2]));
                    break;
                case "j":
                    _joining.Add(first, last, fields[2][0]);
                    break;
                default:
                    throw new InvalidOperationException($"idna.txt: '{line}' is of no known kind.");
            }
        }
    }

    public static IdnaTable Get => Shared.Value;

    public bool IsValid(int point) => _valid.TryFind(point, out _, out _);

    /// <param name="target">What it is mapped to; empty when it is ignored.</param>
    public bool IsMapped(int point, out string target)
    {
        if (!_mapped.TryFind(point, out var first, out target!))
        {
            target = "";
            return false;
        }

        if (point != first)
        {
            target = char.ConvertFromUtf32(char.ConvertToUtf32(target, 0) + point - first);
        }

        return true;
    }

    public BidiClass Bidi(int point) => point switch
    {
        >= 'a' and <= 'z' => BidiClass.L,
        >= '0' and <= '9' => BidiClass.EN,
        '-' => BidiClass.ES,
        < 128 => BidiClass.Other,
        _ => _bidi.TryFind(point, out _, out var known) ? known : BidiClass.L,
    };

    /// <summary>D, R, L, T, or U.</summary>
    public char Joining(int point) => _joining.TryFind(point, out _, out var type) ? type : 'U';

    private static int Number(string hex) => int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>Code points in ascending ranges, with something known of each.</summary>
    private sealed class Ranges<T>
    {
        private readonly List<int> _firsts = [];
        private readonly List<(int Last, T Value)> _rest = [];

        public void Add(int first, int last, T value)
        {
            if (_rest.Count > 0 && first <= _rest[^1].Last)
            {
                throw new InvalidOperationException($"idna.txt: U+{first:X4} is out of order.");
            }

            _firsts.Add(first);
            _rest.Add((last, value));
        }

        public bool TryFind(int point, out int first, out T? value)
        {
            var at = _firsts.BinarySearch(point);
            at = at < 0 ? ~at - 1 : at;
            (first, value) = (0, default);
            if (at < 0 || point > _rest[at].Last)
            {
                return false;
            }

            (first, value) = (_firsts[at], _rest[at].Value);
            return true;
        }
    }
}
