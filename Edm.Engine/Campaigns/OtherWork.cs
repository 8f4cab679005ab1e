namespace Edm.Engine.Campaigns;

/// <summary>
/// What else a pool has to send while it sends one task: those at work share it by the weights of users, and a user's tasks by their priorities, until they have nothing left
/// (generalised processor sharing, which deficit round robin follows: Parekh and Gallager 1993, Shreedhar and Varghese 1995). Pure.
/// </summary>
/// <param name="Weight">Of the task's user.</param>
/// <param name="Priority">Of the task.</param>
/// <param name="Tasks">The other tasks of that user on the pool, with the recipients that can still get a mail.</param>
/// <param name="Users">Other users with work for the pool, and all their recipients that can still get a mail.</param>
public sealed record OtherWork(int Weight, int Priority, IReadOnlyList<(int Priority, long Open)> Tasks, IReadOnlyList<(int Weight, long Open)> Users)
{
    public static OtherWork None { get; } = new(1, 1, [], []);

    /// <summary>Mails of others that the pool sends until the last of the task's own has gone.</summary>
    /// <param name="open">Recipients of the task that can still get a mail.</param>
    public long Meanwhile(int open)
    {
        var ofTasks = Tasks.Sum(task => Math.Min(task.Open, (double)open * task.Priority / Priority));
        var ofUsers = Users.Sum(user => Math.Min(user.Open, (open + ofTasks) * user.Weight / Weight));
        return (long)Math.Ceiling(ofTasks + ofUsers);
    }
}
