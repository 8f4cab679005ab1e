using System.Collections;
using System.Text;

namespace Edm.Host.Commands;

/// <summary>One line of a list.</summary>
/// <param name="Text">Without its line end; octets that are no UTF-8 have become U+FFFD.</param>
/// <param name="IsWhole">False when it went on beyond what is kept.</param>
internal readonly record struct AddressLine(string Text, bool IsWhole);

/// <summary>The list can't be read as lines of UTF-8.</summary>
internal sealed class AddressListException(string message) : Exception(message);

/// <summary>
/// The lines of a list of addresses, in constant memory whatever is in it. A line ends with LF, and everything before that is the address: spaces, tabs and also a CR. Only
/// where the first line that isn't empty ends with CR LF, the list is one from Windows and CR LF is its line end. A byte order mark at the very beginning says that this is
/// UTF-8 and is not part of the first address. A last line needs no line end.
/// </summary>
internal sealed class AddressLines(Stream source) : IEnumerable<AddressLine>
{
    /// <summary>Far beyond any address with its comments; what a line has more is skipped.</summary>
    public const int MaxOctets = 4096;

    private const int Chunk = 64 * 1024;

    public IEnumerator<AddressLine> GetEnumerator()
    {
        var buffer = new byte[Chunk];
        var line = new byte[MaxOctets];
        var (length, total, first) = (0, 0L, true);
        bool? endsInCrLf = null;
        int read;
        while ((read = source.Read(buffer, 0, buffer.Length)) > 0)
        {
            for (var position = 0; position < read;)
            {
                var end = Array.IndexOf(buffer, (byte)'\n', position, read - position);
                var stop = end < 0 ? read : end;
                var kept = Math.Min(stop - position, MaxOctets - length);
                Array.Copy(buffer, position, line, length, kept);
                length += kept;
                total += stop - position;
                position = stop + 1;
                if (end >= 0)
                {
                    yield return Line(line, length, total, ref first, ref endsInCrLf);
                    (length, total) = (0, 0);
                }
            }
        }

        if (total > 0)
        {
            yield return Line(line, length, total, ref first, ref endsInCrLf);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static AddressLine Line(byte[] line, int length, long total, ref bool first, ref bool? endsInCrLf)
    {
        var octets = line.AsSpan(0, length);
        if (first)
        {
            first = false;
            if (octets is [0xff, 0xfe, ..] or [0xfe, 0xff, ..])
            {
                throw new AddressListException("This is UTF-16. Save the list as UTF-8.");
            }

            if (octets is [0xef, 0xbb, 0xbf, ..])
            {
                octets = octets[3..];
            }
        }

        var whole = total <= MaxOctets;
        if (whole && octets is [.., _, (byte)'\r'])
        {
            endsInCrLf ??= true;
        }
        else if (octets is not ([] or [(byte)'\r']))
        {
            endsInCrLf ??= false;
        }

        if (whole && endsInCrLf == true && octets is [.., (byte)'\r'])
        {
            octets = octets[..^1];
        }

        // A line that is cut ends with a whole character.
        var text = Encoding.UTF8.GetString(octets);
        return new AddressLine(whole ? text : text.TrimEnd('\ufffd'), whole);
    }
}
