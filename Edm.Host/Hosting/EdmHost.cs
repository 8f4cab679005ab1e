using Akka.Configuration;
using Edm.Engine.Campaigns;
using Edm.Engine.Contacts;
using Edm.Engine.Content;
using Edm.Engine.Erasure;
using Edm.Engine.Imports;
using Edm.Engine.Segments;
using Edm.Engine.Services;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using Edm.Engine.Users;
using Edm.Host.Api;
using Edm.Host.Http;
using Microsoft.Extensions.Logging.Console;

namespace Edm.Host.Hosting;

/// <summary>Puts the daemon together; the order of the hosted services is the order in which they start, and backwards that in which they stop.</summary>
internal static class EdmHost
{
    /// <summary>Each holds some tens of kilobytes. Clients and a proxy need dozens; past the bound a connection is closed at once.</summary>
    private const int MaxConnections = 2_000;

    /// <summary>Something of the shutdown's time is left for disposing of what has stopped.</summary>
    private static readonly TimeSpan DisposalTime = TimeSpan.FromSeconds(1);

    public static WebApplication Build(EdmSettings settings, Config config)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(EdmHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = settings.Environment.ToString(),
        });

        // hocon/ is the only configuration: no appsettings.json, and no ASPNETCORE_ variables that would quietly move the address.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        AddLogging(builder.Logging, settings);
        builder.WebHost.UseUrls(settings.Http.Url.ToString());
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = settings.Http.MaxBody;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = settings.Lifecycle.Shutdown - DisposalTime);

        AddServices(builder.Services, settings, config);

        var app = builder.Build();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseRouting();
        app.UseAuthentication();
        app.UseMiddleware<KeyGate>();
        app.UseAuthorization();
        app.MapApi();
        app.MapHealth();
        app.MapApiDescription();
        return app;
    }

    private static void AddServices(IServiceCollection services, EdmSettings settings, Config config)
    {
        services.AddSingleton(settings);
        services.AddSingleton(settings.Sending);
        services.AddEdmStorage(settings.Storage);
        services.AddEdmUsers();
        services.AddContacts(settings.Filters);
        services.AddSegments();
        services.AddSuppressions(settings.MasterKey);
        services.AddTags();
        services.AddImports();
        services.AddContent();
        services.AddServices(settings.MasterKey, settings.Smtp, settings.Authorities);

        services.AddHostedService<StartUp>();
        services.AddImportRecovery();
        services.AddDeadAddressSuppression();
        services.AddSingleton<Readiness>();
        services.AddHostedService<OutageWatch>();
        services.AddHostedService<Shutdown>();
        services.AddHostedService<UrlFile>();
        services.AddSandbox();
        services.AddErasure();
        services.AddEdmAkka(settings, config);
        services.AddEdmCampaigns();

        services.AddJsonRules();
        services.AddKeys();
        services.AddServicesApi();
        services.AddApiDescription();
    }

    private static void AddLogging(ILoggingBuilder logging, EdmSettings settings)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(settings.LogLevel);

        // One line a request says nothing that the answer does not say.
        logging.AddFilter("Microsoft", level => level >= LogLevel.Warning);
        if (settings.LogLevel > LogLevel.Debug)
        {
            // Of the actor system only what went wrong: a start alone is twenty lines.
            logging.AddFilter("Akka", level => level >= LogLevel.Warning);
        }

        logging.Services.AddSingleton<OutageLines>();
        logging.AddConsoleFormatter<LogLines, ConsoleFormatterOptions>();
        logging.AddConsole(console => console.FormatterName = LogLines.FormatterName);
    }
}
