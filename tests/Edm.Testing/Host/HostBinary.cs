namespace Edm.Testing.Host;

public static class HostBinary
{
    /// <summary>Edm.Host.dll of this checkout, in the configuration that the running test was built in.</summary>
    /// <exception cref="FileNotFoundException">It has not been built.</exception>
    public static string Find()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var configuration = here.FullName.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";
        for (var folder = here; folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Edm.Akka.sln")))
            {
                var binary = Path.Combine(folder.FullName, "Edm.Host", "bin", configuration, here.Name, "Edm.Host.dll");
                return File.Exists(binary) ? binary : throw new FileNotFoundException($"Build Edm.Host first (dotnet build -c {configuration}): there is no {binary}.", binary);
            }
        }

        throw new FileNotFoundException($"{here.FullName} is not inside the checkout, so Edm.Host can't be found.");
    }
}
