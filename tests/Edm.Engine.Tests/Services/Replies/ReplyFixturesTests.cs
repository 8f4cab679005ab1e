using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Services.Replies;
using Xunit;
using Xunit.Abstractions;

namespace Edm.Engine.Tests.Services.Replies;

/// <summary>
/// Scores the table on replies that others have collected and labelled, which are not ours to ship: EDM_FIXTURES names the folder that has them. Without it there is
/// nothing to score. Their words for what a reply means are others than ours; <see cref="Means"/> says which of ours are right.
/// </summary>
public sealed class ReplyFixturesTests(ITestOutputHelper output)
{
    [Fact]
    public void At_least_90_of_100_labelled_replies_are_read_as_their_label_says()
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable("EDM_FIXTURES") ?? "", "smtp-replies", "expected.jsonl");
        if (!File.Exists(file))
        {
            output.WriteLine("EDM_FIXTURES names no folder with labelled replies: nothing to score.");
            return;
        }

        var (all, right) = (0, 0);
        foreach (var line in File.ReadLines(file))
        {
            using var row = JsonDocument.Parse(line);
            var text = row.RootElement.GetProperty("text").GetString()!;
            var (norm, source) = (row.RootElement.GetProperty("norm").GetString()!, row.RootElement.GetProperty("category_src").GetString()!);
            var found = ReplyClassifier.Of(text).Class;
            all++;
            if (Means(norm, source).Contains(found))
            {
                right++;
            }
            else
            {
                output.WriteLine($"MISS: {norm} ({source}) is {found.Name()} here: {text}");
            }
        }

        output.WriteLine($"{right} of {all} ({100.0 * right / all:0.0} %)");
        Assert.True(right >= 0.9 * all, $"{right} of {all}");
    }

    /// <param name="norm">The common word of the collection.</param>
    /// <param name="source">The word of the list that the reply comes from; some common words hold two things that we keep apart.</param>
    private static ReplyClass[] Means(string norm, string source) => (norm, source) switch
    {
        // A refused login, a missing TLS, a missing permission.
        ("policy", "securityerror") => [ReplyClass.PolicyOrReputationBlock, ReplyClass.AuthenticationFailed, ReplyClass.ServiceFault],

        // A forbidden attachment or header, where the mail is at fault and not its sender.
        ("policy", "policyviolation") => [ReplyClass.PolicyOrReputationBlock, ReplyClass.ContentRejected],
        ("policy", _) => [ReplyClass.PolicyOrReputationBlock],
        ("invalid_recipient" or "recipient_filtered" or "inactive_mailbox", _) => [ReplyClass.NoSuchUser],
        ("bad_domain", _) => [ReplyClass.NoSuchDomain],
        ("quota", _) => [ReplyClass.MailboxFull],
        ("greylist", _) => [ReplyClass.Greylisted],
        ("rate_limit", _) => [ReplyClass.Throttled],
        ("reputation_block" or "sender_rejected" or "sender_config", _) => [ReplyClass.PolicyOrReputationBlock],
        ("auth_failure", _) => [ReplyClass.AuthenticationFailed],
        ("relay_denied", _) => [ReplyClass.RelayDenied],
        ("spam_content" or "content" or "virus" or "too_big", _) => [ReplyClass.ContentRejected],
        ("system" or "network" or "expired" or "protocol", _) => [ReplyClass.ServiceFault],

        // A host or a domain that takes no mail at all.
        ("not_accepting", _) => [ReplyClass.ServiceFault, ReplyClass.NoSuchDomain],
        ("unknown", _) => [ReplyClass.Unknown],

        // One list knows only these two.
        ("hard", _) => [ReplyClass.NoSuchUser, ReplyClass.NoSuchDomain, ReplyClass.ContentRejected, ReplyClass.PolicyOrReputationBlock, ReplyClass.AuthenticationFailed, ReplyClass.RelayDenied],
        ("soft", _) => [ReplyClass.MailboxFull, ReplyClass.Greylisted, ReplyClass.Throttled, ReplyClass.ServiceFault, ReplyClass.Unknown],
        _ => throw new InvalidDataException($"'{norm}' is not a word of the collection that is known here."),
    };
}
