using System.Net.Http.Headers;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Host.Screen;

namespace Edm.Host.Demo;

/// <summary>
/// The story, told through the API alone. Every step first looks whether it has been done: after a kill the same story goes on where it stopped.
/// </summary>
internal sealed class DemoStory(DemoApi api, Terminal terminal, TimeProvider time, string keyFile)
{
    private const string Name = "demo";
    private const int ShownErrors = 3;

    /// <summary>A little slow, as servers are; 2 % are refused for good.</summary>
    private static readonly SandboxManners Manners = new(RejectShare: 0.02, DelayMilliseconds: 20);

    /// <summary>Only at first: who is deferred comes again after 20 seconds, while the others are still on their way.</summary>
    private static readonly SandboxManners FirstManners = Manners with { DeferShare = 0.06 };

    private static readonly TimeSpan FirstMannersFor = TimeSpan.FromSeconds(5);

    // Together 34 mails a second, so that there is something to watch.
    private static readonly (string Name, string Sender, int PerMinute)[] Services =
        [("amber", "Mara", 900), ("birch", "Jonas", 600), ("cedar", "Yuki", 360), ("dune", "Amina", 180)];

    /// <exception cref="DemoException">The API did not do what was asked.</exception>
    public async Task<(TaskId Task, DemoAccount Account)> RunAsync(CancellationToken cancellation)
    {
        Say($"EDM demo. Nothing leaves this machine: all mail goes to a sandbox, a real SMTP server that keeps what it gets.");
        Say($"The API is at {api.Address}, its key in {keyFile}. All that follows is done with these two.");
        var manners = Task.CompletedTask;
        var campaign = await FindAsync<CampaignView>("v1/campaigns", one => one.Name == Name, cancellation);
        if (campaign is not { State: "launched" })
        {
            await ImportAsync(cancellation);
            var (pool, service) = await PoolAsync(cancellation);
            var template = await TemplateAsync(service, cancellation);
            campaign = await LaunchAsync(campaign, pool, template, cancellation);
            manners = MendMannersAsync(cancellation);
        }
        else
        {
            Say("");
            Say("The campaign was launched before; here is how it goes on.");
        }

        var task = campaign.TaskId ?? throw new DemoException($"Campaign {campaign.Id} is launched and has no task.");
        var finished = await new DemoWatch(api, terminal, time).UntilFinishedAsync(task, cancellation);
        await manners;
        var account = await AccountAsync(finished, cancellation);
        DemoLedger.Write(terminal.Out, finished, account);
        return (finished.Id, account);
    }

    /// <summary>After the story, while the daemon stays up.</summary>
    public void TellWhereToLook(TaskId task)
    {
        var curl = $"curl -H \"Authorization: Bearer $(cat {keyFile})\" {api.Address}";
        Say("");
        Say("Where to look next");
        Say($"  try the API      {api.Address}docs (any name, and the key as the password)");
        Say($"  this ledger      {curl}v1/tasks/{task}");
        Say($"  who failed       {curl}v1/tasks/{task}/recipients?state=failed");
        Say($"  what was sent    {curl}v1/sandbox/messages");
        Say($"  begin anew       stop it, and delete {Path.GetDirectoryName(keyFile)}");
    }

    private async Task ImportAsync(CancellationToken cancellation)
    {
        Say("");
        Say("1  Import a list of 1,000 creators, as odd as real exports are");
        await using var file = DemoFiles.Open(DemoFiles.Creators);
        using var body = new StreamContent(file);
        body.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        var line = new LiveLine(terminal, time, TimeSpan.FromSeconds(1));
        var importing = api.PostAsync<ImportView>($"v1/imports?file={DemoFiles.Creators}", body, cancellation);
        while (await Task.WhenAny(importing, Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellation)) != importing)
        {
            if ((await api.GetAsync<Page<ImportView>>("v1/imports?limit=1", cancellation)).Items is [{ Rows: > 0 } now, ..])
            {
                line.Show($"   {now.State}: {Words.Count(now.Rows, "row")}, {Words.Count(now.Rejected)} refused");
            }
        }

        line.Clear();
        var import = await importing;
        Say($"   POST /v1/imports: {Words.Count(import.Rows, "row")} are {Words.Count(import.Created + import.Updated + import.Unchanged, "contact")} ({Words.Count(import.Created)} of them new);");
        Say($"   {Words.Count(import.Doubled)} repeat an address of the file, {Words.Count(import.Rejected)} can't be used, such as:");
        var errors = await api.GetTextAsync($"v1/imports/{import.Id}/errors", cancellation);
        foreach (var error in errors.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(ShownErrors))
        {
            Say($"     line {Words.Foreign(error, 100).Trim('"')}");
        }
    }

    private async Task<(PoolId Pool, ServiceId Service)> PoolAsync(CancellationToken cancellation)
    {
        Say("");
        Say("2  A pool of four services, each with its own pace");
        var pool = await FindAsync<PoolView>("v1/pools", one => one is { Own: true, Name: Name }, cancellation)
            ?? await api.PostAsync<PoolView>("v1/pools", new NewPool(Name), cancellation);
        var there = new Dictionary<string, ServiceId>();
        await foreach (var service in api.ListAsync<ServiceView>($"v1/services?poolId={pool.Id}", cancellation))
        {
            there.Add(service.Name, service.Id);
        }

        foreach (var (name, sender, perMinute) in Services)
        {
            if (!there.ContainsKey(name))
            {
                var service = new NewService(
                    pool.Id, name, "sandbox", $"{name}@juniper-vale.example.com", SenderName: sender, PerMinute: perMinute, Connections: 2);
                there.Add(name, (await api.PostAsync<ServiceView>("v1/services", service, cancellation)).Id);
            }

            Say($"   {name,-6} sends as {sender + ",",-6} at most {perMinute} a minute");
        }

        return (pool.Id, there[Services[0].Name]);
    }

    private async Task<TemplateId> TemplateAsync(ServiceId service, CancellationToken cancellation)
    {
        Say("");
        Say("3  A template in Liquid, and what one of the contacts will read");
        var id = (await FindAsync<TemplateSummaryView>("v1/templates", one => one.Name == Name, cancellation))?.Id
            ?? (await api.PostAsync<TemplateView>("v1/templates", await NewTemplateAsync(cancellation), cancellation)).Id;
        var filter = Uri.EscapeDataString("country in (KR) and followers >= 100k");
        var contact = (await api.GetAsync<Page<ContactView>>($"v1/contacts?limit=1&filter={filter}", cancellation)).Items[0];
        var mail = await api.PostAsync<PreviewView>($"v1/templates/{id}/preview?contactId={contact.Id}&serviceId={service}", body: null, cancellation);
        Say($"   | To: {contact.Email}");
        Say($"   | Subject: {mail.Subject}");
        foreach (var line in (mail.Text ?? "").TrimEnd().Split('\n'))
        {
            Say($"   | {line}".TrimEnd());
        }

        return id;
    }

    private async Task<CampaignView> LaunchAsync(CampaignView? campaign, PoolId pool, TemplateId template, CancellationToken cancellation)
    {
        Say("");
        Say("4  A campaign: freezing fixes who gets it, launching puts it to work");
        campaign ??= await api.PostAsync<CampaignView>("v1/campaigns", new NewCampaign(Name, template, pool), cancellation);
        var frozen = await api.PostAsync<FrozenView>($"v1/campaigns/{campaign.Id}/freeze", body: null, cancellation);
        Say($"   POST /v1/campaigns/{campaign.Id}/freeze: {Words.Count(frozen.Planned, "recipient")} in task {frozen.TaskId}");
        Say($"   The sandbox is told to refuse {Manners.RejectShare:P0} of all mails for good (5xx), and in the first {FirstMannersFor.TotalSeconds:0} seconds");
        Say($"   to defer {FirstManners.DeferShare:P0} (4xx): those are tried again after about 20 seconds.");
        await api.PutAsync("v1/sandbox/behaviour", FirstManners, cancellation);
        var launched = await api.PostAsync<LaunchedView>($"v1/campaigns/{campaign.Id}/launch", body: null, cancellation);
        Say("");
        return campaign with { State = "launched", TaskId = launched.TaskId };
    }

    private async Task MendMannersAsync(CancellationToken cancellation)
    {
        await Task.Delay(FirstMannersFor, time, cancellation);
        await api.PutAsync("v1/sandbox/behaviour", Manners, cancellation);
    }

    private async Task<DemoAccount> AccountAsync(TaskView task, CancellationToken cancellation)
    {
        var recipients = new List<RecipientView>();
        await foreach (var recipient in api.ListAsync<RecipientView>($"v1/tasks/{task.Id}/recipients", cancellation))
        {
            recipients.Add(recipient);
        }

        // The Message-ID names the task; the sandbox may hold mails of other campaigns, which somebody tried after the demo.
        var received = new List<string>();
        await foreach (var message in api.ListAsync<SandboxMessageView>("v1/sandbox/messages", cancellation))
        {
            if (message.MessageId?.TrimStart('<').StartsWith($"edm.{task.Id}.", StringComparison.Ordinal) == true)
            {
                received.Add(message.Recipient);
            }
        }

        return DemoAccount.Of(task, recipients, received);
    }

    private static async Task<NewTemplate> NewTemplateAsync(CancellationToken cancellation) => new(
        Name,
        await DemoFiles.ReadAsync("mail.subject.liquid", cancellation),
        await DemoFiles.ReadAsync("mail.html.liquid", cancellation),
        await DemoFiles.ReadAsync("mail.text.liquid", cancellation));

    private async Task<T?> FindAsync<T>(string path, Func<T, bool> wanted, CancellationToken cancellation) where T : class
    {
        await foreach (var one in api.ListAsync<T>(path, cancellation))
        {
            if (wanted(one))
            {
                return one;
            }
        }

        return null;
    }

    private void Say(string line) => terminal.Out.WriteLine(line);
}
