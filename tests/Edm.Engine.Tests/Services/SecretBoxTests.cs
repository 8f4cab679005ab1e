using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Edm.Engine.Services;
using Edm.Engine.Storage;
using Edm.Testing;
using Xunit;

namespace Edm.Engine.Tests.Services;

public sealed class SecretBoxTests
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public void A_secret_comes_out_as_it_went_in() =>
        Gen.String.Where(text => text.EnumerateRunes().All(rune => rune != Rune.ReplacementChar)).Sample(secret =>
            new SecretBox(Key).Open(new SecretBox(Key).Lock(secret, "me"), "me") == secret);

    [Fact]
    public void The_same_secret_never_looks_the_same() =>
        Assert.NotEqual(new SecretBox(Key).Lock("secret", "me"), new SecretBox(Key).Lock("secret", "me"));

    [Fact]
    public void Another_key_another_owner_and_any_changed_byte_are_refused()
    {
        var box = new SecretBox(Key).Lock("secret", "me");

        Assert.Contains("EDM_MASTER_KEY", Assert.Throws<StorageException>(() => new SecretBox(RandomNumberGenerator.GetBytes(32)).Open(box, "me")).Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => new SecretBox(Key).Open(box, "you"));
        for (var i = 0; i < box.Length; i++)
        {
            var changed = (byte[])box.Clone();
            changed[i] ^= 1;
            Assert.Throws<StorageException>(() => new SecretBox(Key).Open(changed, "me"));
        }

        Assert.Throws<StorageException>(() => new SecretBox(Key).Open(box[..10], "me"));
    }

    [Fact]
    public void The_first_start_makes_a_key_file_for_its_owner_only_and_later_ones_read_it()
    {
        using var folder = new TempFolder();

        var first = MasterKey.Load(null, folder.Path);

        Assert.Equal(32, first.Length);
        Assert.Equal(first, MasterKey.Load("", folder.Path));
        Assert.Equal([folder.Combine("master.key")], Directory.GetFiles(folder.Path));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.Combine("master.key")));
        }
    }

    [Fact]
    public void A_configured_key_goes_before_the_file()
    {
        using var folder = new TempFolder();

        Assert.Equal(Key, MasterKey.Load(Convert.ToBase64String(Key), folder.Path));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("c2VjcmV0")]
    public void A_key_that_is_none_is_refused_with_what_to_do(string key)
    {
        using var folder = new TempFolder();
        Assert.Contains("openssl rand -base64 32", Assert.Throws<StorageException>(() => MasterKey.Load(key, folder.Path)).Message, StringComparison.Ordinal);

        File.WriteAllText(folder.Combine("master.key"), key);
        Assert.Contains("backup", Assert.Throws<StorageException>(() => MasterKey.Load(null, folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_that_start_at_once_in_one_folder_agree_on_a_key()
    {
        using var folder = new TempFolder();
        for (var trial = 0; trial < 100; trial++)
        {
            var (data, keys) = (folder.Combine($"{trial}"), new string[8]);

            Parallel.For(0, keys.Length, i => keys[i] = Convert.ToBase64String(MasterKey.Load(null, data)));

            Assert.Single(keys.Distinct());
            Assert.Single(Directory.GetFiles(data));
        }
    }
}
