namespace Edm.Engine.Services.Replies;

/// <summary>
/// Which of some thousand phrases are in a text, in one pass. Phrases are looked for where a word begins, among those that begin with its first two characters; in
/// scripts without spaces between words, everywhere.
/// </summary>
internal sealed class PhraseIndex
{
    /// <summary>From here on: Chinese, Japanese and Korean.</summary>
    private const char FirstWithoutSpaces = '\u2e80';

    private readonly Dictionary<(char, char), List<(string Text, int Id)>> byBeginning = [];
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);

    public int Count => ids.Count;

    /// <param name="phrase">As people write it; with a * at the end, words may go on.</param>
    /// <returns>Its number.</returns>
    /// <exception cref="FormatException">There is no word in it.</exception>
    public int Add(string phrase)
    {
        var isBeginning = phrase.EndsWith('*');
        var words = ReplyReading.Fold(phrase).TrimStart();
        if (words.Length < 2)
        {
            throw new FormatException($"'{phrase}' has no word to look for.");
        }

        if (isBeginning || words[^2] >= FirstWithoutSpaces)
        {
            words = words[..^1];
        }

        if (!ids.TryGetValue(words, out var id))
        {
            id = ids.Count;
            ids.Add(words, id);
            var key = (words[0], words.Length > 1 ? words[1] : ' ');
            if (!byBeginning.TryGetValue(key, out var same))
            {
                byBeginning.Add(key, same = []);
            }

            same.Add((words, id));
        }

        return id;
    }

    /// <param name="words">See <see cref="ReplyReading.Words"/>.</param>
    /// <returns>A bit for each phrase, by number.</returns>
    public ulong[] Find(string words)
    {
        var found = new ulong[(ids.Count + 63) / 64];
        for (var i = 1; i + 1 < words.Length; i++)
        {
            if ((words[i - 1] == ' ' || words[i] >= FirstWithoutSpaces) && byBeginning.TryGetValue((words[i], words[i + 1]), out var candidates))
            {
                var rest = words.AsSpan(i);
                foreach (var (text, id) in candidates)
                {
                    if (rest.StartsWith(text, StringComparison.Ordinal))
                    {
                        found[id >> 6] |= 1UL << (id & 63);
                    }
                }
            }
        }

        return found;
    }
}
