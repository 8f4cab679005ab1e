using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Hosting;
using Akka.Configuration;
using Akka.Hosting;
using Akka.Persistence.Sql;
using Akka.Remote.Hosting;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;
using Edm.Engine.Services;
using Edm.Engine.Storage;
using Edm.Engine.Storage.Journal;
using Edm.Engine.Storage.Projections;
using Edm.Engine.Tags;
using Edm.Engine.Users;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Settings;

/// <summary>The actor system of a node: queues, lanes and the projection, on one journal.</summary>
public static class AkkaHosting
{
    public const string SystemName = "edm";

    /// <summary>Adds the actor system as a hosted service. The database is migrated before it starts; the rooms it uses are taken from the container.</summary>
    public static IServiceCollection AddEdmAkka(this IServiceCollection services, EdmSettings settings, Config config)
    {
        services.AddSingleton<ThisProcess>();
        services.AddSingleton<MailsInFlight>();
        services.AddSingleton<LaneDirectory>();
        services.AddSingleton<DeliveriesStore>();
        services.AddSingleton(provider => new ArchivedTasks(provider.GetRequiredService<EdmDatabase>(), settings.Sending.Retry));
        services.AddSingleton<JournalTrimStore>();
        services.AddSingleton(provider => new LaneRooms(
            provider.GetRequiredService<IRecipientSource>(),
            provider.GetRequiredService<ITemplateCache>(),
            provider.GetRequiredService<IMimeComposer>(),
            provider.GetRequiredService<IMailTransport>(),
            provider.GetRequiredService<ILaneServices>(),
            provider.GetRequiredService<MailsInFlight>(),
            provider.GetRequiredService<LaneDirectory>(),
            provider.GetRequiredService<ThisProcess>(),
            provider.GetRequiredService<TimeProvider>())
        {
            Weigh = provider.GetService<UserWeights>() is { } weights ? weights.Of : null,
        });
        return services.AddAkka(SystemName, (builder, provider) =>
        {
            var database = provider.GetRequiredService<EdmDatabase>();
            var process = provider.GetRequiredService<ThisProcess>();
            var time = provider.GetRequiredService<TimeProvider>();
            builder
                .ConfigureLoggers(loggers =>
                {
                    loggers.ClearLoggers();
                    loggers.LogLevel = settings.LogLevel <= Microsoft.Extensions.Logging.LogLevel.Debug ? Akka.Event.LogLevel.DebugLevel : Akka.Event.LogLevel.InfoLevel;
                    loggers.AddLoggerFactory();
                })
                .AddHocon(Filled(settings, database), HoconAddMode.Prepend)
                .AddHocon(config, HoconAddMode.Append)
                .AddHocon(SqlPersistence.DefaultConfiguration, HoconAddMode.Append)
                .AddUserQueues(provider.GetService<UserQueueLimits>() ?? UserQueueLimits.Default, time, process, provider.GetRequiredService<ArchivedTasks>())
                .AddLanes(provider.GetRequiredService<LaneRooms>())
                .AddDeliveriesProjection(database, provider.GetRequiredService<DeliveriesStore>())
                .AddJournalTrimming(
                    provider.GetRequiredService<JournalTrimStore>(), [DeliveriesStore.Name], settings.Journal.TrimEvery, new TrimRules(settings.Journal.TrimBatch), time)
                .AddTagPruning(provider.GetRequiredService<TagPruneStore>(), settings.Tags)
                .AddDrain(provider.GetRequiredService<LaneDirectory>(), process, settings.Lifecycle.Drain)
                .AddStartup((system, _) =>
                {
                    if (settings.Cluster.Seeds.Count == 0)
                    {
                        var cluster = Cluster.Get(system);
                        cluster.Join(cluster.SelfAddress);
                    }
                });
        });
    }

    /// <summary>The values that come from <c>edm { }</c>.</summary>
    private static Config Filled(EdmSettings settings, EdmDatabase database)
    {
        static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        var connection = $$"""
            connection-string = {{Quoted(database.JournalConnectionString)}}
            provider-name = {{Quoted(database.JournalProviderName)}}
            """;
        var seeds = string.Join(",", settings.Cluster.Seeds.Select(s => Quoted($"akka.tcp://{SystemName}@{s.Host}:{s.Port}")));
        return ConfigurationFactory.ParseString($$"""
            akka.stdout-loglevel = OFF
            akka.stdout-logger-class = "{{typeof(SilentLogger).AssemblyQualifiedName}}"
            akka.remote.dot-netty.tcp {
              hostname = {{Quoted(settings.Cluster.Host)}}
              port = {{settings.Cluster.Port}}
            }
            akka.cluster.seed-nodes = [{{seeds}}]
            akka.persistence.journal.sql { {{connection}} }
            akka.persistence.snapshot-store.sql { {{connection}} }
            """);
    }
}
