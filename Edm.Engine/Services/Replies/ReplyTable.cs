using Edm.Contracts;

namespace Edm.Engine.Services.Replies;

/// <summary>The table of replies, <c>Tables/replies.txt</c>, whose head says how it is read. It is built into the assembly; a line that can't be read is a defect.</summary>
internal sealed class ReplyTable
{
    private const string Resource = "replies.txt";

    private static readonly Lazy<ReplyTable> BuiltIn = new(() =>
    {
        using var stream = typeof(ReplyTable).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"The table {Resource} is not built in.");
        using var reader = new StreamReader(stream);
        return Read(reader);
    });

    private readonly List<ReplyRule> rules = [];
    private readonly PhraseIndex phrases = new();

    public static ReplyTable Instance => BuiltIn.Value;

    public IReadOnlyList<ReplyRule> Rules => rules;

    /// <exception cref="FormatException">A line can't be read; the message names it.</exception>
    public static ReplyTable Read(TextReader reader)
    {
        var table = new ReplyTable();
        string? head = null;
        var (headLine, line) = (0, 0);
        List<int[]> alternatives = [];
        void Close()
        {
            if (head is not null)
            {
                table.rules.Add(Rule(head, headLine, alternatives));
            }

            (head, alternatives) = (null, []);
        }

        while (reader.ReadLine() is { } text)
        {
            line++;
            if (text.AsSpan().Trim() is [] or ['#', ..])
            {
                continue;
            }

            if (text[0] != ' ')
            {
                Close();
                (head, headLine) = (text, line);
            }
            else if (head is null)
            {
                throw new FormatException($"Line {line}: words belong to a rule, and there is none yet.");
            }
            else
            {
                alternatives.Add([.. text.Trim().Split(" + ").Select(table.phrases.Add)]);
            }
        }

        Close();
        return table;
    }

    /// <returns>The first rule that holds; null when none does.</returns>
    public ReplyRule? Find(ReplyReading reply)
    {
        var found = phrases.Find(reply.Words);
        return rules.Find(rule => rule.Holds(reply, found));
    }

    private static ReplyRule Rule(string head, int line, List<int[]> alternatives)
    {
        var words = head.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (!ReplyClasses.TryParse(words[0], out var reply))
        {
            throw new FormatException($"Line {line}: '{words[0]}' is not a class of replies.");
        }

        ReplyAction? action = null;
        List<ReplyStage> stages = [];
        List<string> codes = [], enhanced = [];
        var list = "";
        for (var i = 1; i < words.Length; i++)
        {
            switch (list, words[i])
            {
                case (_, "at" or "when"):
                    list = words[i];
                    break;
                case (_, "->"):
                    action = i + 2 == words.Length && ReplyActions.TryParse(words[++i], out var named) ? named : throw Bad("behind -> stands one action, and nothing else");
                    break;
                case ("at", var stage):
                    stages.Add(Enum.TryParse<ReplyStage>(stage, ignoreCase: true, out var known) ? known : throw Bad($"'{stage}' is not a stage"));
                    break;
                case ("when", var code):
                    (code.Contains('.', StringComparison.Ordinal) ? enhanced : codes).Add(code);
                    break;
                default:
                    throw Bad($"'{words[i]}' is neither 'at' nor 'when' nor '->'");
            }
        }

        return new ReplyRule(line, reply, action, stages, codes, enhanced, alternatives);

        FormatException Bad(string what) => new($"Line {line}: {what}.");
    }
}
