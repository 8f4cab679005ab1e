using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Edm.Testing.Processes;

namespace Edm.Testing.Servers;

/// <summary>
/// Debian's Postfix as a private instance with folders of its own, on free ports of 127.0.0.1 and ::1: STARTTLS, TLS from the first byte, login by SASL.
/// It hands every mail to one port of 127.0.0.1 and to nobody else. The instance of the system is never touched.
/// </summary>
public sealed class PostfixServer : IAsyncDisposable
{
    public const string User = "mia@edm.test";
    public const string Password = "a secret with $igns";

    private const string Daemons = "/usr/lib/postfix/sbin";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempFolder folder;
    private readonly ChildProcess process;

    private PostfixServer(TempFolder folder, ChildProcess process, int port, int tlsPort)
    {
        (this.folder, this.process, Port, TlsPort) = (folder, process, port, tlsPort);
    }

    /// <summary>Whether this machine has ::1; Postfix does not start with an address that there is not.</summary>
    public static bool HasIpv6 { get; } = NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(card => card.GetIPProperties().UnicastAddresses).Any(address => address.Address.Equals(IPAddress.IPv6Loopback));

    /// <summary>Offers STARTTLS and takes nothing without it; on 127.0.0.1 and, where there is one, on ::1.</summary>
    public int Port { get; }

    /// <summary>TLS from the first byte.</summary>
    public int TlsPort { get; }

    /// <param name="certificate">With its key.</param>
    /// <param name="sink">Where everything goes: a port of 127.0.0.1.</param>
    public static async Task<PostfixServer> StartAsync(X509Certificate2 certificate, int sink)
    {
        if (!Posix.IsRoot || !File.Exists($"{Daemons}/master") || !File.Exists("/usr/sbin/saslpasswd2"))
        {
            throw new InvalidOperationException("This needs root, Postfix and Cyrus SASL. Install them: apt-get install postfix sasl2-bin libsasl2-modules (./test.sh does that).");
        }

        var folder = new TempFolder();
        var (port, tlsPort) = (FreePort.Next(), FreePort.Next());
        var config = folder.Combine("config");
        foreach (var part in (string[])["config", "config/sasl", "queue", "data"])
        {
            Directory.CreateDirectory(folder.Combine(part));
        }

        await File.WriteAllTextAsync(folder.Combine("certificate.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder.Combine("key.pem"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Path.Combine(config, "main.cf"), Main(folder, sink));
        await File.WriteAllTextAsync(Path.Combine(config, "master.cf"), Services(port, tlsPort));
        await File.WriteAllTextAsync(
            Path.Combine(config, "sasl/smtpd.conf"), $"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {folder.Combine("passwords")}\n");
        var (name, realm) = (User[..User.IndexOf('@')], User[(User.IndexOf('@') + 1)..]);
        await File.WriteAllTextAsync(folder.Combine("password"), Password);
        await ChildProcess.RunAsync("/bin/sh", ["-c", $"saslpasswd2 -p -c -f {folder.Combine("passwords")} -u {realm} {name} < {folder.Combine("password")}"]);
        await ChildProcess.RunAsync("/bin/chown", ["postfix", folder.Combine("passwords"), folder.Combine("data")]);


        // Makes the folders of the queue.
        await ChildProcess.RunAsync("/usr/sbin/postfix", ["-c", config, "check"]);
        var server = new PostfixServer(folder, ChildProcess.Start($"{Daemons}/master", ["-c", config, "-d"], new Dictionary<string, string> { ["MAIL_CONFIG"] = config }), port, tlsPort);
        try
        {
            await Eventually.Async(server.GreetsAsync, Patience, "Postfix greets");
            return server;
        }
        catch (TimeoutException fault)
        {
            var log = folder.Combine("data/mail.log");
            var words = File.Exists(log) ? await File.ReadAllTextAsync(log) : "it wrote no log";
            await server.DisposeAsync();
            throw new InvalidOperationException($"Postfix did not start: {fault.Message}\n{server.process.Output}\n{words}", fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The master ends its daemons when it is asked to, and not when it is killed.
        process.Signal(15);
        try
        {
            await process.WaitForExitAsync(TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException)
        {
            // Killed by the next line.
        }

        await process.DisposeAsync();
        folder.Dispose();
    }

    private async Task<bool> GreetsAsync()
    {
        if (process.HasExited)
        {
            throw new TimeoutException("its master ended");
        }

        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        var greeting = new byte[4];
        return await client.GetStream().ReadAtLeastAsync(greeting, greeting.Length, throwOnEndOfStream: false) == 4 && greeting.AsSpan().SequenceEqual("220 "u8);
    }

    private static string Main(TempFolder folder, int sink) => string.Create(CultureInfo.InvariantCulture, $"""
        compatibility_level = 3.6
        queue_directory = {folder.Combine("queue")}
        data_directory = {folder.Combine("data")}
        command_directory = /usr/sbin
        daemon_directory = {Daemons}
        shlib_directory = /usr/lib/postfix
        mail_owner = postfix
        setgid_group = postdrop
        myhostname = mail.edm.test
        mydestination =
        alias_maps =
        local_transport = error:no local mail
        default_transport = smtp:[127.0.0.1]:{sink}
        relay_transport = smtp:[127.0.0.1]:{sink}
        inet_interfaces = {(HasIpv6 ? "127.0.0.1, ::1" : "127.0.0.1")}
        inet_protocols = {(HasIpv6 ? "all" : "ipv4")}
        mynetworks =
        smtpd_relay_restrictions = permit_sasl_authenticated, reject
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_tls_security_level = encrypt
        smtpd_tls_cert_file = {folder.Combine("certificate.pem")}
        smtpd_tls_key_file = {folder.Combine("key.pem")}
        smtpd_client_connection_rate_limit = 0
        smtputf8_enable = yes
        maillog_file = {folder.Combine("data/mail.log")}
        maillog_file_prefixes = {folder.Combine("data")}

        """);

    private static string Services(int port, int tlsPort) => string.Create(CultureInfo.InvariantCulture, $"""
        127.0.0.1:{port} inet n - n - - smtpd
        {(HasIpv6 ? "" : "#")}[::1]:{port} inet n - n - - smtpd
        127.0.0.1:{tlsPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        verify unix - - n - 1 verify
        flush unix n - n 1000? 0 flush
        proxymap unix - - n - - proxymap
        smtp unix - - n - - smtp
        error unix - - n - - error
        retry unix - - n - - error
        anvil unix - - n - 1 anvil
        scache unix - - n - 1 scache
        tlsmgr unix - - n 1000? 1 tlsmgr
        postlog unix-dgram n - n - 1 postlogd

        """);
}
