using System.CommandLine;

namespace Edm.Host.Commands;

/// <summary>
/// <c>inspect</c>: what EDM makes of something that it would read, printed as JSON for people and scripts. Each kind of thing is a sub command of its own. They need no daemon,
/// no storage and no settings, start at once, and write nothing but their answer to standard output.
/// </summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        // One sub command a line, by name.
        var command = new Command("inspect", "Show as JSON what EDM makes of something that it reads. Needs no daemon and stores nothing.");
        command.Subcommands.Add(InspectAddressCommand.Create());
        command.Subcommands.Add(InspectCsvCommand.Create());
        command.Subcommands.Add(InspectReplyCommand.Create());
        return command;
    }
}
