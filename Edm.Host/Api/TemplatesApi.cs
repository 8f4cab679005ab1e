using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Contacts;
using Edm.Engine.Content;
using Edm.Engine.Services;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class TemplatesApi
{
    private const string NoSuchTemplate = "There is no such template.";

    // For looking at a template before there is a service.
    private static readonly ServiceSender MadeUpSender = new("sender@example.com", "Your Name");

    public static void MapTemplates(this IEndpointRouteBuilder v1)
    {
        var templates = v1.MapGroup("/templates").WithTags("Templates");
        templates.MapPost("", CreateAsync).WithSummary("Create a template")
            .WithDescription(
                """
                Subject, HTML and text in Liquid. Known are `contact.email`, `contact.handle`, `contact.nickname`, `contact.followers`, `contact.country`,
                `contact.language`, `contact.category`, `contact.bio`, every attribute of an import, the same without `contact.`, and `sender.name`, `sender.address`.
                """)
            .Produces<TemplateView>(StatusCodes.Status201Created).Fails(400, 409);
        templates.MapGet("", ListAsync).WithSummary("List templates").Produces<Page<TemplateSummaryView>>().Fails(400);
        templates.MapGet("/{id:long}", GetAsync).WithSummary("Get a template").Produces<TemplateView>().Fails(404);
        templates.MapPatch("/{id:long}", ChangeAsync).WithSummary("Change a template")
            .WithDescription("Other words make a new version. Tasks that are frozen keep theirs.").Produces<TemplateView>().Fails(400, 404, 409);
        templates.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a template").WithDescription("Tasks that are frozen still send it.")
            .Produces(StatusCodes.Status204NoContent).Fails(404);
        templates.MapPost("/preview", PreviewAsync).WithSummary("Render words for a contact without storing them").Produces<PreviewView>().Fails(400);
        templates.MapPost("/{id:long}/preview", PreviewStoredAsync).WithSummary("Render a template for a contact").Produces<PreviewView>().Fails(400, 404);
    }

    private static async Task<IResult> CreateAsync(NewTemplate body, Caller caller, TemplateStore store, CancellationToken cancellation)
    {
        var template = await store.CreateAsync(caller.User, new TemplateDraft(body.Name, new TemplateSource(body.Subject, body.Html, body.Text, body.Strict)), cancellation);
        return TypedResults.Created($"/v1/templates/{template.Id}", View(template));
    }

    private static async Task<Page<TemplateSummaryView>> ListAsync(
        Caller caller, TemplateStore store, CancellationToken cancellation, long after = 0, int limit = Paging.Default)
    {
        var found = await store.ListAsync(caller.User, new TemplateId(after), Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, template => template.Id.Value, t => new TemplateSummaryView(t.Id, t.Name, t.Version, t.CreatedAt, t.UpdatedAt));
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, TemplateStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new TemplateId(id), null, cancellation) is { } template ? TypedResults.Ok(View(template)) : Problems.NotFound(NoSuchTemplate);

    private static async Task<IResult> ChangeAsync(long id, TemplateChange body, Caller caller, TemplateStore store, CancellationToken cancellation)
    {
        if (await store.GetAsync(caller.User, new TemplateId(id), null, cancellation) is not { Source: var source } before)
        {
            return Problems.NotFound(NoSuchTemplate);
        }

        var draft = new TemplateDraft(
            body.Name.OrKeep(before.Name, "name"),
            new TemplateSource(
                body.Subject.OrKeep(source.Subject, "subject"), body.Html.Or(source.Html), body.Text.Or(source.Text), body.Strict.OrKeep(source.Strict, "strict")));
        return await store.ChangeAsync(caller.User, before.Id, draft, cancellation) is { } changed ? TypedResults.Ok(View(changed)) : Problems.NotFound(NoSuchTemplate);
    }

    private static async Task<IResult> DeleteAsync(long id, Caller caller, TemplateStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, new TemplateId(id), cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchTemplate);

    private static async Task<PreviewView> PreviewAsync(
        PreviewRequest body, Caller caller, ContactStore contacts, ServiceStore services, TimeProvider time, CancellationToken cancellation)
    {
        var source = new TemplateSource(body.Subject, body.Html, body.Text, body.Strict);
        return await RenderAsync(source, body.ContactId, body.ServiceId, caller, contacts, services, time, cancellation);
    }

    private static async Task<IResult> PreviewStoredAsync(
        long id, long contactId, Caller caller, TemplateStore store, ContactStore contacts, ServiceStore services, TimeProvider time, CancellationToken cancellation, long? serviceId = null) =>
        await store.GetAsync(caller.User, new TemplateId(id), null, cancellation) is { } template
            ? TypedResults.Ok(await RenderAsync(
                template.Source, new ContactId(contactId), serviceId is { } service ? new ServiceId(service) : null, caller, contacts, services, time, cancellation))
            : Problems.NotFound(NoSuchTemplate);

    private static async Task<PreviewView> RenderAsync(
        TemplateSource source, ContactId contact, ServiceId? service, Caller caller, ContactStore contacts, ServiceStore services, TimeProvider time, CancellationToken cancellation)
    {
        var parsed = LiquidTemplate.Parse(source, time);
        var card = (await contacts.GetAsync(caller.User, contact, cancellation))?.Card ?? throw new FieldException("contactId", $"There is no contact {contact}.");
        var sender = MadeUpSender;
        if (service is { } id)
        {
            var found = await services.GetAsync(caller.User, id, cancellation) ?? throw new FieldException("serviceId", $"There is no service {id}.");
            sender = new ServiceSender(found.SenderAddress, found.SenderName);
        }

        var mail = parsed.Render(card, sender);
        return new PreviewView(mail.Subject, mail.Html, mail.Text);
    }

    private static TemplateView View(Template template) => new(
        template.Id, template.Name, template.Version, template.Source.Subject, template.Source.Html, template.Source.Text, template.Source.Strict,
        template.CreatedAt, template.UpdatedAt);
}
